/**
 * ARM PrimeCell PL011 UART, the console of Versatile Express boards. Enough of it for a polled or
 * interrupt-driven console; the line is infinitely fast. Source: ARM DDI 0183G, chapter 3.
 */

import { UartPl011Bit, UartPl011Reg } from '@barreleye/spec';
import type { Device, RaiseLine, SerialLine } from './device.ts';
import { ByteFifo } from './fifo.ts';

export class UartPl011 implements Device, SerialLine {
  transmit: (byte: number) => void = () => undefined;
  private readonly raise: RaiseLine;
  private readonly received = new ByteFifo();
  private imsc = 0;
  private cr = 0x0300; // TXE and RXE, the reset value
  private lcrH = 0;

  constructor(raise: RaiseLine) {
    this.raise = raise;
  }

  /** The host types a byte. */
  receive(byte: number): void {
    this.received.push(byte);
    this.signal();
  }

  load(offset: number, _bytes: number): number {
    switch (offset) {
      case UartPl011Reg.UARTDR:
        return Math.max(this.received.shift(), 0);
      case UartPl011Reg.UARTFR:
        return UartPl011Bit.FR_TXFE | (this.received.length === 0 ? UartPl011Bit.FR_RXFE : 0);
      case UartPl011Reg.UARTLCR_H:
        return this.lcrH;
      case UartPl011Reg.UARTCR:
        return this.cr;
      case UartPl011Reg.UARTIMSC:
        return this.imsc;
      case UartPl011Reg.UARTRIS:
        return this.raw();
      case UartPl011Reg.UARTMIS:
        return this.raw() & this.imsc;
      default:
        return 0;
    }
  }

  store(offset: number, value: number, _bytes: number): void {
    switch (offset) {
      case UartPl011Reg.UARTDR:
        this.transmit(value & 0xff);
        return;
      case UartPl011Reg.UARTLCR_H:
        this.lcrH = value & 0xff;
        return;
      case UartPl011Reg.UARTCR:
        this.cr = value & 0xffff;
        return;
      case UartPl011Reg.UARTIMSC:
        this.imsc = value & 0x7ff;
        this.signal();
        return;
      default:
    }
  }

  private raw(): number {
    return this.received.length > 0 ? UartPl011Bit.INT_RX : 0;
  }

  private signal(): void {
    if ((this.raw() & this.imsc) !== 0) this.raise();
  }
}

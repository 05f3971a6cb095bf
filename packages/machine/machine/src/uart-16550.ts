/**
 * 16550-compatible UART, registers four bytes apart (as on PCIe cards and in "ns16550a, reg-shift
 * 2" of device trees). Enough of it for a polled or interrupt-driven console; the line is
 * infinitely fast, so the transmitter is always ready and interrupts for nothing. The FIFOs are
 * always on. Source: TI PC16550D data sheet, section 8.
 */

import { Uart16550Bit, Uart16550Reg } from '@barreleye/spec';
import type { Device, RaiseLine, SerialLine } from './device.ts';
import { ByteFifo } from './fifo.ts';

const IIR_NONE = 0xc1; // FIFOs enabled, no interrupt pending
const IIR_RDA = 0xc4; //  received data available
const LCR_DLAB = 0x80; // RBR, THR and IER are the divisor latch instead

export class Uart16550 implements Device, SerialLine {
  transmit: (byte: number) => void = () => undefined;
  private readonly raise: RaiseLine;
  private readonly received = new ByteFifo();
  private ier = 0;
  private lcr = 0;
  private mcr = 0;
  private scratch = 0;
  private divisorLow = 0;
  private divisorHigh = 0;

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
      case Uart16550Reg.RBR_THR:
        if (this.isDivisorSelected()) return this.divisorLow;
        return Math.max(this.received.shift(), 0);
      case Uart16550Reg.IER:
        return this.isDivisorSelected() ? this.divisorHigh : this.ier;
      case Uart16550Reg.IIR_FCR:
        return this.isAsserted() ? IIR_RDA : IIR_NONE;
      case Uart16550Reg.LCR:
        return this.lcr;
      case Uart16550Reg.MCR:
        return this.mcr;
      case Uart16550Reg.LSR:
        return (
          Uart16550Bit.LSR_THRE |
          Uart16550Bit.LSR_TEMT |
          (this.received.length > 0 ? Uart16550Bit.LSR_DR : 0)
        );
      case Uart16550Reg.SCR:
        return this.scratch;
      default:
        return 0;
    }
  }

  store(offset: number, value: number, _bytes: number): void {
    switch (offset) {
      case Uart16550Reg.RBR_THR:
        if (this.isDivisorSelected()) this.divisorLow = value & 0xff;
        else this.transmit(value & 0xff);
        return;
      case Uart16550Reg.IER:
        if (this.isDivisorSelected()) {
          this.divisorHigh = value & 0xff;
          return;
        }
        this.ier = value & 0x0f;
        this.signal();
        return;
      case Uart16550Reg.LCR:
        this.lcr = value & 0xff;
        return;
      case Uart16550Reg.MCR:
        this.mcr = value & 0x1f;
        return;
      case Uart16550Reg.SCR:
        this.scratch = value & 0xff;
        return;
      default:
    }
  }

  private isDivisorSelected(): boolean {
    return (this.lcr & LCR_DLAB) !== 0;
  }

  private isAsserted(): boolean {
    return (this.ier & Uart16550Bit.IER_ERBFI) !== 0 && this.received.length > 0;
  }

  private signal(): void {
    if (this.isAsserted()) this.raise();
  }
}

/**
 * Serial port drivers: registers that somebody has mapped. Which driver a machine needs is in its
 * boot information.
 */

import { panic } from '@barreleye/core';
import {
  DeviceClass,
  Uart16550Bit,
  Uart16550Reg,
  UartPl011Bit,
  UartPl011Reg,
  type UserCpu,
} from '@barreleye/spec';

/** What the terminal needs of a serial port. Plain calls: device memory is always mapped. */
export interface SerialPort {
  /** The next received byte, -1 when there is none. */
  receive(): number;
  send(byte: number): void;
  /** Have received bytes raise the port's interrupt. */
  enableInterrupt(): void;
}

/** A driver for the port of class `device` whose registers are mapped at `base`. */
export function createSerialPort(cpu: UserCpu, device: DeviceClass, base: number): SerialPort {
  switch (device) {
    case DeviceClass.Uart16550:
      return {
        receive: () =>
          (cpu.load8(base + Uart16550Reg.LSR) & Uart16550Bit.LSR_DR) === 0
            ? -1
            : cpu.load8(base + Uart16550Reg.RBR_THR),
        send: (byte) => void cpu.store8(base + Uart16550Reg.RBR_THR, byte),
        enableInterrupt: () => void cpu.store8(base + Uart16550Reg.IER, Uart16550Bit.IER_ERBFI),
      };
    case DeviceClass.UartPl011:
      return {
        receive: () =>
          (cpu.load32(base + UartPl011Reg.UARTFR) & UartPl011Bit.FR_RXFE) !== 0
            ? -1
            : cpu.load32(base + UartPl011Reg.UARTDR) & 0xff,
        send: (byte) => void cpu.store32(base + UartPl011Reg.UARTDR, byte),
        enableInterrupt: () => void cpu.store32(base + UartPl011Reg.UARTIMSC, UartPl011Bit.INT_RX),
      };
    default:
      return panic(`no driver for a serial port of class ${device}`);
  }
}

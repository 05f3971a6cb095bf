/** Serial port drivers, over registers that are plain memory. */

import { asPaddr, KernelPanic } from '@barreleye/core';
import { HandCpu } from '@barreleye/libos/testing';
import {
  archArmv7,
  DeviceClass,
  Uart16550Bit,
  Uart16550Reg,
  UartPl011Bit,
  UartPl011Reg,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { createSerialPort } from './serial.ts';

/** Where the registers are: plain memory, so that they hold what the test puts there. */
const BASE = archArmv7.dispatcherBase + 8192;

const PORTS = [
  {
    name: '16550',
    device: DeviceClass.Uart16550,
    data: Uart16550Reg.RBR_THR,
    status: Uart16550Reg.LSR,
    ready: Uart16550Bit.LSR_DR | Uart16550Bit.LSR_THRE,
    empty: Uart16550Bit.LSR_THRE,
    interrupt: [Uart16550Reg.IER, Uart16550Bit.IER_ERBFI],
  },
  {
    name: 'PL011',
    device: DeviceClass.UartPl011,
    data: UartPl011Reg.UARTDR,
    status: UartPl011Reg.UARTFR,
    ready: UartPl011Bit.FR_TXFE,
    empty: UartPl011Bit.FR_TXFE | UartPl011Bit.FR_RXFE,
    interrupt: [UartPl011Reg.UARTIMSC, UartPl011Bit.INT_RX],
  },
] as const;

describe.each(PORTS)('the driver for a $name', (port) => {
  function create() {
    const cpu = new HandCpu(archArmv7);
    cpu.hold();
    const put = (register: number, value: number): void =>
      cpu.mem.store32(asPaddr(BASE + register), value);
    const get = (register: number): number => cpu.mem.load32(asPaddr(BASE + register));
    return { driver: createSerialPort(cpu, port.device, BASE), put, get };
  }

  it('takes a byte only when the status register says that one waits', () => {
    const { driver, put } = create();
    put(port.data, 0x61);
    put(port.status, port.empty);
    expect(driver.receive()).toBe(-1);
    put(port.status, port.ready);
    expect(driver.receive()).toBe(0x61);
    put(port.data, 0);
    expect(driver.receive()).toBe(0);
  });

  it('drops the error bits that come with a byte', () => {
    const { driver, put } = create();
    put(port.status, port.ready);
    put(port.data, 0xf7e);
    expect(driver.receive()).toBe(0x7e);
  });

  it('sends bytes and turns its interrupt on', () => {
    const { driver, get } = create();
    driver.send(0x42);
    expect(get(port.data)).toBe(0x42);
    expect(get(port.interrupt[0])).toBe(0);
    driver.enableInterrupt();
    expect(get(port.interrupt[0])).toBe(port.interrupt[1]);
  });
});

it('there is no driver for a device that is no serial port', () => {
  const cpu = new HandCpu(archArmv7);
  expect(() => createSerialPort(cpu, DeviceClass.Power, BASE)).toThrow(KernelPanic);
});

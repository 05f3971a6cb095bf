/** The PL011, register by register. ARM DDI 0183G, chapter 3. */

import { UartPl011Bit, UartPl011Reg } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { UartPl011 } from './uart-pl011.ts';

const { UARTDR, UARTFR, UARTLCR_H, UARTCR, UARTIMSC, UARTRIS, UARTMIS } = UartPl011Reg;
const { FR_RXFE, FR_TXFF, FR_TXFE, INT_RX } = UartPl011Bit;

function create(): { uart: UartPl011; sent: number[]; irqs: { count: number } } {
  const irqs = { count: 0 };
  const uart = new UartPl011(() => {
    irqs.count += 1;
  });
  const sent: number[] = [];
  uart.transmit = (byte) => sent.push(byte);
  return { uart, sent, irqs };
}

const read = (uart: UartPl011, reg: number): number => uart.load(reg, 4);
const write = (uart: UartPl011, reg: number, value: number): void => uart.store(reg, value, 4);

describe('the line of a PL011', () => {
  it('has both FIFOs empty after reset', () => {
    const { uart } = create();
    expect(read(uart, UARTFR)).toBe(FR_TXFE | FR_RXFE);
    expect(read(uart, UARTDR)).toBe(0);
  });

  it('says that the receive FIFO is empty once the last byte is read', () => {
    const { uart } = create();
    uart.receive(0x61);
    uart.receive(0x62);
    expect(read(uart, UARTFR) & FR_RXFE).toBe(0);
    read(uart, UARTDR);
    expect(read(uart, UARTFR) & FR_RXFE).toBe(0);
    read(uart, UARTDR);
    expect(read(uart, UARTFR) & FR_RXFE).toBe(FR_RXFE);
  });

  it('hands received bytes over in their order, without error bits', () => {
    const { uart } = create();
    for (const byte of [3, 0, 255, 7]) uart.receive(byte);
    expect([1, 2, 3, 4, 5].map(() => read(uart, UARTDR))).toEqual([3, 0, 255, 7, 0]);
  });

  it('sends what is written, eight bits of it, and is never full', () => {
    const { uart, sent } = create();
    for (const value of [0x41, 0x1_42, 0]) write(uart, UARTDR, value);
    expect(sent).toEqual([0x41, 0x42, 0]);
    expect(read(uart, UARTFR) & (FR_TXFF | FR_TXFE)).toBe(FR_TXFE);
  });
});

describe('registers of a PL011', () => {
  it.each([
    ['UARTLCR_H', UARTLCR_H, 0, 0xff],
    ['UARTCR', UARTCR, 0x0300, 0xffff],
    ['UARTIMSC', UARTIMSC, 0, 0x7ff],
  ])('%s has its reset value and keeps the bits that it has', (_, reg, reset, mask) => {
    const { uart } = create();
    expect(read(uart, reg)).toBe(reset);
    write(uart, reg, 0xf_ffff);
    expect(read(uart, reg)).toBe(mask);
    write(uart, reg, 0);
    expect(read(uart, reg)).toBe(0);
  });

  it('that report cannot be written', () => {
    const { uart, sent, irqs } = create();
    for (const reg of [UARTFR, UARTRIS, UARTMIS, 0xfe0]) write(uart, reg, 0xffff);
    expect(read(uart, UARTFR)).toBe(FR_TXFE | FR_RXFE);
    expect([read(uart, UARTRIS), read(uart, UARTMIS), read(uart, 0xfe0)]).toEqual([0, 0, 0]);
    expect([sent.length, irqs.count]).toEqual([0, 0]);
  });
});

describe('the interrupt of a PL011', () => {
  it('is raised by each byte that arrives while it is enabled', () => {
    const { uart, irqs } = create();
    write(uart, UARTIMSC, INT_RX);
    expect(irqs.count).toBe(0);
    uart.receive(1);
    expect(irqs.count).toBe(1);
    uart.receive(2);
    expect(irqs.count).toBe(2);
  });

  it('is raised on enabling it while data waits', () => {
    const { uart, irqs } = create();
    uart.receive(1);
    expect(irqs.count).toBe(0);
    write(uart, UARTIMSC, INT_RX);
    expect(irqs.count).toBe(1);
  });

  it('is not raised while masked, nor by unmasking others', () => {
    const { uart, irqs } = create();
    write(uart, UARTIMSC, 0x7ff & ~INT_RX);
    uart.receive(1);
    write(uart, UARTIMSC, 0);
    uart.receive(2);
    expect(irqs.count).toBe(0);
  });

  it('is not raised on enabling it when all data was read', () => {
    const { uart, irqs } = create();
    uart.receive(1);
    read(uart, UARTDR);
    write(uart, UARTIMSC, INT_RX);
    expect(irqs.count).toBe(0);
  });

  it('shows in the raw status always, in the masked one while it is enabled', () => {
    const { uart } = create();
    expect([read(uart, UARTRIS), read(uart, UARTMIS)]).toEqual([0, 0]);
    uart.receive(1);
    expect([read(uart, UARTRIS), read(uart, UARTMIS)]).toEqual([INT_RX, 0]);
    write(uart, UARTIMSC, INT_RX);
    expect([read(uart, UARTRIS), read(uart, UARTMIS)]).toEqual([INT_RX, INT_RX]);
    read(uart, UARTDR);
    expect([read(uart, UARTRIS), read(uart, UARTMIS)]).toEqual([0, 0]);
  });
});

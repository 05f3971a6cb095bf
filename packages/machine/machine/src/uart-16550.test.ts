/** The 16550, register by register. TI PC16550D data sheet, section 8. */

import { Uart16550Bit, Uart16550Reg } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Uart16550 } from './uart-16550.ts';

const { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR } = Uart16550Reg;
const { LSR_DR, LSR_THRE, LSR_TEMT, IER_ERBFI } = Uart16550Bit;
const DLAB = 0x80;

function create(): { uart: Uart16550; sent: number[]; irqs: { count: number } } {
  const irqs = { count: 0 };
  const uart = new Uart16550(() => {
    irqs.count += 1;
  });
  const sent: number[] = [];
  uart.transmit = (byte) => sent.push(byte);
  return { uart, sent, irqs };
}

const read = (uart: Uart16550, reg: number): number => uart.load(reg, 1);
const write = (uart: Uart16550, reg: number, value: number): void => uart.store(reg, value, 1);

describe('the line of a 16550', () => {
  it('is ready to send and has nothing to read after reset', () => {
    const { uart } = create();
    expect(read(uart, LSR)).toBe(LSR_THRE | LSR_TEMT);
    expect(read(uart, RBR_THR)).toBe(0);
  });

  it('says "data ready" for as long as a received byte waits', () => {
    const { uart } = create();
    uart.receive(0x61);
    uart.receive(0x62);
    expect(read(uart, LSR)).toBe(LSR_THRE | LSR_TEMT | LSR_DR);
    read(uart, RBR_THR);
    expect(read(uart, LSR) & LSR_DR).toBe(LSR_DR);
    read(uart, RBR_THR);
    expect(read(uart, LSR) & LSR_DR).toBe(0);
  });

  it('hands received bytes over in their order', () => {
    const { uart } = create();
    for (const byte of [3, 0, 255, 7]) uart.receive(byte);
    expect([1, 2, 3, 4, 5].map(() => read(uart, RBR_THR))).toEqual([3, 0, 255, 7, 0]);
  });

  it('sends what is written, eight bits of it, in its order', () => {
    const { uart, sent } = create();
    for (const value of [0x41, 0x1_42, 0]) write(uart, RBR_THR, value);
    expect(sent).toEqual([0x41, 0x42, 0]);
    expect(read(uart, LSR)).toBe(LSR_THRE | LSR_TEMT);
  });

  it('does not echo: what is sent is not received', () => {
    const { uart } = create();
    write(uart, RBR_THR, 0x41);
    expect(read(uart, LSR) & LSR_DR).toBe(0);
  });
});

describe('registers of a 16550', () => {
  it.each([
    ['IER', IER, 0x0f],
    ['LCR', LCR, 0xff],
    ['MCR', MCR, 0x1f],
    ['SCR', SCR, 0xff],
  ])('%s keeps the bits that it has and reads others as zero', (_, reg, mask) => {
    const { uart } = create();
    expect(read(uart, reg)).toBe(0);
    write(uart, reg, 0x1ff);
    expect(read(uart, reg)).toBe(mask);
    write(uart, reg, 0);
    expect(read(uart, reg)).toBe(0);
  });

  it.each([
    ['LSR', LSR],
    ['MSR', MSR],
  ])('%s reports and cannot be written', (_, reg) => {
    const { uart } = create();
    const before = read(uart, reg);
    write(uart, reg, 0xff);
    expect(read(uart, reg)).toBe(before);
  });

  it('beyond the last read as zero and ignore stores', () => {
    const { uart, sent, irqs } = create();
    write(uart, 0x20, 0xff);
    write(uart, 0xffc, 0xff);
    expect([read(uart, 0x20), read(uart, 0xffc), sent.length, irqs.count]).toEqual([0, 0, 0, 0]);
  });

  it('at 0 and 4 are the divisor latch while LCR says so', () => {
    const { uart, sent, irqs } = create();
    uart.receive(0x61);
    write(uart, LCR, DLAB);
    write(uart, RBR_THR, 12);
    write(uart, IER, 0x81);
    expect([read(uart, RBR_THR), read(uart, IER)]).toEqual([12, 0x81]);
    expect([sent.length, irqs.count]).toEqual([0, 0]);
    write(uart, LCR, 3);
    expect([read(uart, IER), read(uart, RBR_THR)]).toEqual([0, 0x61]);
  });
});

describe('the interrupt of a 16550', () => {
  it('is raised by each byte that arrives while it is enabled', () => {
    const { uart, irqs } = create();
    write(uart, IER, IER_ERBFI);
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
    write(uart, IER, IER_ERBFI);
    expect(irqs.count).toBe(1);
  });

  it('is not raised while disabled, nor by enabling other causes', () => {
    const { uart, irqs } = create();
    write(uart, IER, 0x0f & ~IER_ERBFI);
    uart.receive(1);
    write(uart, IER, 0);
    uart.receive(2);
    expect(irqs.count).toBe(0);
  });

  it('is not raised on enabling it when all data was read', () => {
    const { uart, irqs } = create();
    uart.receive(1);
    read(uart, RBR_THR);
    write(uart, IER, IER_ERBFI);
    expect(irqs.count).toBe(0);
  });

  it('is identified as received data until the last byte is read', () => {
    const { uart } = create();
    expect(read(uart, IIR_FCR) & 0x0f).toBe(1); // bit 0 set: none pending
    uart.receive(1);
    expect(read(uart, IIR_FCR) & 0x0f).toBe(1);
    write(uart, IER, IER_ERBFI);
    uart.receive(2);
    expect(read(uart, IIR_FCR) & 0x0f).toBe(4);
    read(uart, RBR_THR);
    expect(read(uart, IIR_FCR) & 0x0f).toBe(4);
    read(uart, RBR_THR);
    expect(read(uart, IIR_FCR) & 0x0f).toBe(1);
  });
});

import { describe, expect, it } from 'vitest';
import { DeviceClass, Uart16550Reg, UartPl011Reg } from './devices.ts';

describe('device registers', () => {
  it.each([
    ['16550', Uart16550Reg],
    ['PL011', UartPl011Reg],
  ])('of the %s are words at distinct places', (_, table) => {
    const offsets = Object.values(table);
    expect(new Set(offsets).size).toBe(offsets.length);
    for (const offset of offsets) expect(offset % 4).toBe(0);
  });

  it('belong to classes that boot information can tell apart', () => {
    const classes = Object.values(DeviceClass);
    expect(new Set(classes).size).toBe(classes.length);
    for (const number of classes) expect(number & 0xff).toBe(number);
  });
});

/** Boards: their memory maps hold together, at every size of RAM. */

import { PADDR_LIMIT, PhysMem } from '@barreleye/core';
import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_32Pae } from '@barreleye/paging-x86-32';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { DeviceClass, type Paging } from '@barreleye/spec';
import { describe, expect, it, test } from 'vitest';
import type { Board } from './board.ts';
import { IrqLine } from './hal.ts';
import { Machine } from './machine.ts';
import { boardPc32 } from './pc32.ts';
import { boardPc64 } from './pc64.ts';
import { boardVexpress } from './vexpress.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

const BOARDS = [
  { name: 'pc64', board: boardPc64, paging: pagingX86_64 },
  { name: 'pc32', board: boardPc32, paging: pagingX86_32Pae },
  { name: 'vexpress', board: boardVexpress, paging: pagingArmv7 },
] satisfies { name: string; board: Board; paging: Paging }[];

describe.each(BOARDS)('board $name', ({ board, paging }) => {
  const sizes = [board.minRamBytes, board.defaultRamBytes, board.maxRamBytes, 64 * MIB + PAGE];

  it.each(sizes)('has exactly %i bytes of RAM when asked for them', (ramBytes) => {
    const ranges = board.ramRanges(ramBytes);
    expect(ranges.reduce((sum, range) => sum + range.bytes, 0)).toBe(ramBytes);
    let end = 0;
    for (const range of ranges) {
      expect(range.base).toBeGreaterThanOrEqual(end);
      expect([range.base % PAGE, range.bytes % PAGE]).toEqual([0, 0]);
      expect(range.bytes).toBeGreaterThan(0);
      end = range.base + range.bytes;
    }
    expect(end).toBeLessThanOrEqual(PADDR_LIMIT);
  });

  it('gives every device whole pages of its own, outside RAM of any size', () => {
    const ram = board.ramRanges(board.maxRamBytes);
    const areas = [...board.devices, ...ram].sort((a, b) => a.base - b.base);
    for (const [i, area] of areas.entries()) {
      expect([area.base % PAGE, area.bytes % PAGE]).toEqual([0, 0]);
      expect(area.base + area.bytes).toBeLessThanOrEqual(areas[i + 1]?.base ?? PADDR_LIMIT);
    }
  });

  it('gives devices that interrupt lines of their own', () => {
    const lines = board.devices.map((device) => device.irq).filter((irq) => irq !== 0);
    expect(new Set(lines).size).toBe(lines.length);
    for (const line of lines) {
      expect(line).toBeGreaterThanOrEqual(IrqLine.FirstDevice);
      expect(line).toBeLessThan(IrqLine.Count);
    }
  });

  it('has a serial port that can interrupt, a power switch, and names for both', () => {
    const serial = [DeviceClass.Uart16550, DeviceClass.UartPl011] as number[];
    const ports = board.devices.filter((device) => serial.includes(device.class));
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port.irq).not.toBe(0);
    expect(board.devices.filter((device) => device.class === DeviceClass.Power).length).toBe(1);
    for (const device of board.devices) expect(device.name).toMatch(/^[a-z0-9]+$/);
  });

  it('can be asked for its default, which is within its limits', () => {
    expect(board.minRamBytes).toBeLessThanOrEqual(board.defaultRamBytes);
    expect(board.defaultRamBytes).toBeLessThanOrEqual(board.maxRamBytes);
    expect(board.maxCores).toBeGreaterThanOrEqual(1);
  });

  it('can be built with all the RAM that it says it takes', () => {
    const machine = new Machine({
      board,
      paging,
      programs: [],
      ramBytes: board.maxRamBytes,
      coreCount: board.maxCores,
      seed: 1,
    });
    const last = machine.bus.ram.at(-1);
    expect(machine.mem).toBeInstanceOf(PhysMem);
    expect(last && machine.mem.contains(last.base, last.bytes)).toBe(true);
  });
});

test('board pc32 has everything below 4 GiB, where its page tables can reach', () => {
  for (const { base, bytes } of [...boardPc32.ramRanges(3 * GIB), ...boardPc32.devices]) {
    expect(base + bytes).toBeLessThanOrEqual(4 * GIB);
  }
});

describe('board pc64', () => {
  it('puts RAM that does not fit below the devices above 4 GiB', () => {
    const low = 3 * GIB - MIB;
    expect(boardPc64.ramRanges(low)).toEqual([{ base: MIB, bytes: low }]);
    expect(boardPc64.ramRanges(low + PAGE)).toEqual([
      { base: MIB, bytes: low },
      { base: 4 * GIB, bytes: PAGE },
    ]);
  });
});

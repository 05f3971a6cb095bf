import { isOk, OK, offset } from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { checkMm, createMm, type Mm, type MmBlock } from '../src/index.ts';
import { errorOf, must, PAGE, RamKernel } from './ram-kernel.ts';

const MEBIBYTE = 2 ** 20;
const BASE = 0x400_0000;
const REGION_PAGES = 4096;

function boot(slotCount = 2048): { kernel: RamKernel; mm: Mm<number> } {
  const kernel = new RamKernel(slotCount);
  const mm = createMm<number>(kernel);
  expect(mm.add(kernel.boot(BASE, REGION_PAGES))).toBe(OK);
  return { kernel, mm };
}

function expectDisjoint(blocks: readonly MmBlock<number>[]): void {
  const sorted = blocks.toSorted((a, b) => a.base - b.base);
  for (const [i, { base }] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before !== undefined) expect(before.base + before.bytes).toBeLessThanOrEqual(base);
  }
}

/** Allocate blocks of `bytes` until nothing fits. */
function drain(mm: Mm<number>, bytes: number): MmBlock<number>[] {
  const blocks: MmBlock<number>[] = [];
  for (;;) {
    const result = mm.alloc(bytes);
    if (!result.ok) return blocks;
    blocks.push(result.value);
  }
}

// Numbered as in the list of acceptance tests that the system is held against.
describe('physical memory', () => {
  it.each(['forwards', 'backwards'])('10: one page 512 times, freed %s, comes back', (order) => {
    const { kernel, mm } = boot();
    const atStart = mm.freeBytes();
    const blocks = [must(mm.alloc(PAGE))];
    for (let i = 0; i < 512; i++) blocks.push(must(mm.alloc(PAGE)));
    for (const { cap, base, bytes } of blocks) {
      expect(kernel.identify(cap)).toEqual({ base, bytes });
      expect(bytes).toBeGreaterThanOrEqual(PAGE);
    }
    expectDisjoint(blocks);
    expect(mm.freeBytes()).toBe(atStart - 513 * PAGE);
    if (order === 'backwards') blocks.reverse();
    for (const block of blocks) expect(mm.free(block)).toBe(OK);
    expect(mm.freeBytes()).toBe(atStart);
    expect(mm.nodes()).toHaveLength(1);
    expect(kernel.lostSlotCount()).toBe(0);
  });

  it('11: odd sizes, growing alignments and ranges are honoured', () => {
    const { mm } = boot();
    const blocks: MmBlock<number>[] = [];
    for (let i = 0; i < 10; i++) {
      const bytes = PAGE * i + 4;
      const alignBytes = PAGE * 2 ** i;
      const range = { from: BASE + i * MEBIBYTE + 5, to: BASE + (i + 4) * MEBIBYTE };
      for (const block of [must(mm.alloc(bytes, { alignBytes })), must(mm.alloc(bytes, range))]) {
        expect(block.bytes).toBeGreaterThanOrEqual(bytes);
        blocks.push(block);
      }
      const [aligned, ranged] = blocks.slice(-2);
      expect((aligned?.base ?? 1) % alignBytes).toBe(0);
      expect(ranged?.base).toBeGreaterThanOrEqual(range.from);
      expect((ranged?.base ?? 0) + (ranged?.bytes ?? 0)).toBeLessThanOrEqual(range.to);
      expect(checkMm(mm)).toEqual([]);
    }
    expectDisjoint(blocks);
  });

  it('12: seven of eight pages are freed under a capability of their own, and used again', () => {
    const { kernel, mm } = boot();
    const whole = must(mm.alloc(8 * PAGE));
    const [first, rest] = kernel.split(whole, [PAGE, 7 * PAGE]);
    expect(rest).toMatchObject({ base: offset(whole.base, PAGE), bytes: 7 * PAGE });
    expect(mm.free(rest ?? whole)).toBe(OK);
    expect(checkMm(mm)).toEqual([]);
    const again = must(mm.alloc(7 * PAGE));
    expect(again.base).toBe(rest?.base);
    expectDisjoint([first ?? whole, again]);
  });

  it('13: regions that touch but have different parents are never one', () => {
    const kernel = new RamKernel(64);
    const mm = createMm<number>(kernel);
    expect(mm.add(kernel.boot(BASE, 8))).toBe(OK);
    expect(mm.add(kernel.boot(BASE + 8 * PAGE, 8))).toBe(OK);
    for (let round = 0; round < 3; round++) {
      const blocks = drain(mm, PAGE);
      expect(blocks).toHaveLength(16);
      for (const block of blocks) expect(mm.free(block)).toBe(OK);
      expect(mm.nodes().map(({ bytes }) => bytes)).toEqual([8 * PAGE, 8 * PAGE]);
      expect(errorOf(mm.alloc(9 * PAGE))).toBe(Err.MM_ERR_NOT_FOUND);
      const both = [must(mm.alloc(8 * PAGE)), must(mm.alloc(8 * PAGE))];
      expect(both.map(({ base }) => base)).toEqual([BASE, BASE + 8 * PAGE]);
      for (const block of both) expect(mm.free(block)).toBe(OK);
    }
    expect(kernel.lostSlotCount()).toBe(0);
  });

  it('14: exhaustion loses nothing, again and again (with refills: see refill.test.ts)', () => {
    const { kernel, mm } = boot();
    for (const bytes of [16 * PAGE, 3 * PAGE, 16 * PAGE, 40 * PAGE]) {
      const blocks = drain(mm, bytes);
      expect(blocks).toHaveLength(Math.floor((REGION_PAGES * PAGE) / bytes));
      expect(errorOf(mm.alloc(bytes))).toBe(Err.MM_ERR_NOT_FOUND);
      for (const block of blocks) expect(isOk(mm.free(block))).toBe(true);
      expect(mm.freeBytes()).toBe(mm.totalBytes());
      expect(checkMm(mm)).toEqual([]);
      expect(kernel.lostSlotCount()).toBe(0);
    }
  });

  it('15: the count of free bytes drops by a mebibyte and returns', () => {
    const { mm } = boot();
    const atStart = mm.freeBytes();
    const block = must(mm.alloc(MEBIBYTE));
    expect(mm.freeBytes()).toBe(atStart - MEBIBYTE);
    expect(mm.free(block)).toBe(OK);
    expect(mm.freeBytes()).toBe(atStart);
  });
});

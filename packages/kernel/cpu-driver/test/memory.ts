/** Comparing memory before and after: what a refused call leaves, and what nobody may touch. */

import { highWord, lowWord } from '@barreleye/core';
import { DispatcherFrame, Kcb } from '@barreleye/spec';
import { expect } from 'vitest';
import type { Bench } from './bench.ts';
import { type Answer, loadCall, systemCall, type User } from './user.ts';

/** Words of the KCB that every system call changes. */
const COUNTERS = [Kcb.kernelEntries, Kcb.systemCalls].map((field) => field.offset / 4);

/** All of memory but the counters of calls. */
export function snapshot({ mem, plan }: Bench): Uint32Array {
  const words = mem.words.slice();
  const kcb = (plan.kcb - mem.origin) / 4;
  for (const counter of COUNTERS) words.fill(0, kcb + counter, kcb + counter + 2);
  return words;
}

/** Physical addresses of words that differ, the first few of them. */
export function differences(bench: Bench, before: Uint32Array, after: Uint32Array): number[] {
  if (Buffer.compare(bytesOf(before), bytesOf(after)) === 0) return [];
  const found: number[] = [];
  for (let i = 0; i < before.length && found.length < 8; i++) {
    if (before[i] !== after[i]) found.push(bench.mem.origin + 4 * i);
  }
  return found;
}

/** The call with these words is refused with `names`, most recent first, and changes no byte. */
export function expectRefused(
  user: User,
  names: readonly string[],
  words: readonly number[],
): void {
  const { bench } = user;
  const [answer, changes] = bench.act((cpu): [Answer, number[]] => {
    loadCall(cpu, words); // words beyond the registers are in memory before the call
    const before = snapshot(bench);
    const result = systemCall(cpu, words);
    return [result, differences(bench, before, snapshot(bench))];
  });
  expect(answer).toEqual({ names, value: 0 });
  expect(changes, 'addresses of words that changed').toEqual([]);
}

/** Store an exact number in a 64-bit field of a dispatcher frame, or any two words. */
export function storeWords(bench: Bench, at: number, low: number, high: number): void {
  bench.mem.words[(at - bench.mem.origin) / 4] = low;
  bench.mem.words[(at - bench.mem.origin) / 4 + 1] = high;
}

/** Store an exact number. */
export function store64(bench: Bench, at: number, value: number): void {
  storeWords(bench, at, lowWord(value), highWord(value));
}

/** The words of a save area in the dispatcher frame at `frame`. */
export function areaWords(
  bench: Bench,
  frame: number,
  area: 'enabledArea' | 'disabledArea' | 'trapArea',
): Uint32Array {
  const first = (frame + DispatcherFrame[area].offset - bench.mem.origin) / 4;
  return bench.mem.words.slice(first, first + 2 * bench.arch.registers.length);
}

function bytesOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}

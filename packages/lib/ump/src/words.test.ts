/** Shared words of both kinds, and memory that goes away. */

import { OK } from '@barreleye/core';
import { HandCpu } from '@barreleye/libos/testing';
import { archX86_64 } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { UmpEnd } from './end.ts';
import { MappedWords, SharedWords, type Words } from './words.ts';

/** In the dispatcher frame, which is all the memory that there is, on a page of its own. */
const BASE = archX86_64.dispatcherBase + 4096;

function mapped(base = BASE): { cpu: HandCpu; words: MappedWords; faults: number[] } {
  const cpu = new HandCpu(archX86_64);
  const faults: number[] = [];
  cpu.onFault = (va) => void faults.push(va);
  cpu.hold();
  return { cpu, words: new MappedWords(cpu, base), faults };
}

describe.each<[string, () => Words]>([
  ['of a SharedArrayBuffer', () => new SharedWords(new Int32Array(new SharedArrayBuffer(8192)))],
  ['of a mapped frame', () => mapped().words],
])('words %s', (_, create) => {
  it('are the same by plain and by ordered accesses', () => {
    const words = create();
    words.store(3, 0xfedc_ba98);
    words.storeRelease(4, -2);
    expect([words.loadAcquire(3) | 0, words.load(4) | 0]).toEqual([0xfedc_ba98 | 0, -2]);
    expect([words.load(2), words.loadAcquire(5), words.isGone]).toEqual([0, 0, false]);
  });

  it('carry a channel', () => {
    const words = create();
    const [client, server] = (['client', 'server'] as const).map(
      (side) => new UmpEnd(words, 16, side, { slotCount: 3 }),
    );
    const message = Uint32Array.of(1, 0xffff_ffff, 0x8000_0000);
    const into = new Uint32Array(14);
    for (let i = 0; i < 10; i++) {
      message[0] = i;
      expect(client?.sender.trySend(message, 3)).toBe(true);
      expect(server?.receiver.tryReceive(into)).toBe(3);
      expect([...into.subarray(0, 3)]).toEqual([...message]);
    }
    server?.close();
    expect(client?.isPeerClosed()).toBe(true);
  });
});

describe('words of a frame that was taken away', () => {
  it.each<[string, (words: Words) => unknown]>([
    ['load', (words) => words.load(5)],
    ['store', (words) => words.store(5, 1)],
    ['loadAcquire', (words) => words.loadAcquire(5)],
    ['storeRelease', (words) => words.storeRelease(5, 1)],
  ])('fault once, in %s, and are gone', (_, access) => {
    const { cpu, words, faults } = mapped(0x1000);
    expect(access(words) ?? 0).toBe(0);
    expect([words.isGone, cpu.isLive(), faults]).toEqual([true, false, [0x1014]]);
    cpu.hold();
    expect([words.load(0), words.loadAcquire(0)]).toEqual([0, 0]);
    words.store(0, 1);
    words.storeRelease(0, 1);
    expect([faults.length, OK]).toEqual([1, 0]);
  });
});

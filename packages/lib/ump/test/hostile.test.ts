/** The other side of a channel writes anything at any time: it harms nobody but itself. */

import { Prng } from '@barreleye/core';
import { capref } from '@barreleye/libos';
import { ReceiveResult, SendResult } from '@barreleye/rpc';
import { umpRingBytes } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  SharedWords,
  UmpEnd,
  type UmpMode,
  UmpPoller,
  UmpTransport,
  umpChannelBytes,
} from '../src/index.ts';
import { HauntedWords, ownWords } from './haunted.ts';

interface Attack {
  readonly seed: number;
  readonly slotCount: number;
  readonly mode: UmpMode;
  readonly side: 'client' | 'server';
}

const attacks = fc.record({
  seed: fc.nat(),
  slotCount: fc.integer({ min: 1, max: 9 }),
  mode: fc.constantFrom('latency' as const, 'bulk' as const),
  side: fc.constantFrom('client' as const, 'server' as const),
});

/** A victim, in the middle of memory of which the rest belongs to a channel between friends. */
function prepare({ seed, slotCount, mode, side }: Attack) {
  const prng = new Prng(seed);
  const wordCount = umpChannelBytes(slotCount) / 4;
  const words = new SharedWords(new Int32Array(new SharedArrayBuffer(8 * wordCount)));
  const ring = umpRingBytes(slotCount) / 4;
  const own = side === 'client' ? ownWords(0, ring, slotCount) : ownWords(ring, 0, slotCount);
  const haunted = new HauntedWords(words, prng, { base: 0, wordCount, own });
  let rungCount = 0;
  const ringDoorbell = (): void => void rungCount++;
  const victim = new UmpEnd(haunted, 0, side, { slotCount, mode, ringDoorbell });
  const friends = (['client', 'server'] as const).map(
    (friend) => new UmpEnd(words, wordCount, friend, { slotCount, mode, ringDoorbell }),
  );
  return { prng, haunted, victim, friends: friends as [UmpEnd, UmpEnd], bells: () => rungCount };
}

/** Messages between friends, one by one. */
class Friends {
  private readonly ends: readonly [UmpEnd, UmpEnd];
  private readonly message = new Uint32Array(14);
  private sentCount = 0;
  private receivedCount = 0;

  constructor(ends: readonly [UmpEnd, UmpEnd]) {
    this.ends = ends;
  }

  exchange(): void {
    const { ends, message } = this;
    message.fill(this.sentCount);
    if (ends[0].sender.trySend(message, 14, true, 5)) this.sentCount += 1;
    if (ends[1].receiver.tryReceive(message) < 0) return;
    expect([message[0], message[13], ends[1].receiver.note]).toEqual([
      this.receivedCount,
      this.receivedCount,
      5,
    ]);
    this.receivedCount += 1;
  }

  get lostCount(): number {
    return this.sentCount - this.receivedCount;
  }
}

describe('an end whose other side is hostile', () => {
  it('never throws, loops, reads beyond a slot, or writes what is not its own', () => {
    const run = (attack: Attack): void => {
      const { prng, haunted, victim, friends, bells } = prepare(attack);
      const others = new Friends(friends);
      const message = new Uint32Array(16).fill(7);
      const acts: (() => unknown)[] = [
        () => victim.sender.trySend(message, prng.below(15), prng.below(2) === 0, prng.next32()),
        () => victim.receiver.tryReceive(message),
        () => victim.receiver.hasMessage(),
        () => victim.sender.hasRoom(),
        () => victim.lieDown(prng.below(2) === 0, prng.below(2) === 0),
        () => victim.getUp(),
        () => victim.sender.flush(),
        () => (prng.below(50) === 0 ? victim.close() : victim.isPeerClosed()),
      ];
      let callCount = 0;
      for (; callCount < 200; callCount++) {
        haunted.begin();
        const result = acts[prng.below(acts.length)]?.();
        if (typeof result === 'number') expect(result).toBeLessThanOrEqual(14);
        others.exchange();
      }
      expect([message[14], message[15]]).toEqual([7, 7]); // a slot has 14 words
      expect(bells()).toBeLessThanOrEqual(callCount);
      expect(others.lostCount).toBe(0);
    };
    fc.assert(fc.property(attacks, run), { numRuns: 150, seed: 7 });
  });
});

describe('a transport whose other side is hostile', () => {
  it('answers every call, and tells whoever waits', () => {
    const run = (attack: Attack): void => {
      const { prng, haunted, victim } = prepare(attack);
      const poller = new UmpPoller();
      const transport = new UmpTransport(victim, poller);
      const words = new Uint32Array(14);
      let readyCount = 0;
      const waiter = { ready: () => void readyCount++ };
      const results = new Set<number>();
      const cap = capref<'Frame'>(4, 9);
      for (let i = 0; i < 200; i++) {
        haunted.begin();
        const isLast = prng.below(2) === 0;
        results.add(transport.trySend(words, 1 + prng.below(14), undefined, isLast));
        haunted.begin();
        const received = transport.tryReceive(words);
        expect(received).toBeLessThanOrEqual(14);
        expect([received < 0 || transport.receivedCap === undefined]).toEqual([true]);
        if (prng.below(3) === 0) transport.whenReceivable(waiter);
        if (prng.below(3) === 0) transport.whenSendable(waiter);
        haunted.begin();
        expect(poller.poll()).toBe(true);
        haunted.begin();
        poller.lieDown();
        poller.getUp();
        if (received === ReceiveResult.Dead) break;
      }
      haunted.begin();
      const isDead = transport.trySend(words, 1, cap, true) === SendResult.Dead;
      expect(isDead || transport.trySend(words, 1, cap, true) === SendResult.CapInvalid).toBe(true);
      transport.whenReceivable(waiter);
      const before = readyCount;
      transport.close();
      expect(readyCount).toBe(before + 1);
      expect(transport.tryReceive(words)).toBe(ReceiveResult.Dead);
      for (const result of results) expect(result).not.toBe(SendResult.CapInvalid);
    };
    fc.assert(fc.property(attacks, run), { numRuns: 150, seed: 7 });
  });
});

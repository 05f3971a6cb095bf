/** Random commands for a ring against a plain queue, for latency and bulk mode at either side. */

import { Prng } from '@barreleye/core';
import { UMP_SEQUENCE_MASK, UmpHead, umpRingBytes } from '@barreleye/spec';
import { expect } from 'vitest';
import { UmpReceiver } from './receiver.ts';
import type { UmpMode } from './ring.ts';
import { UmpSender } from './sender.ts';
import { SharedWords } from './words.ts';

export interface RingCase {
  readonly seed: number;
  readonly slotCount: number;
  readonly modes: readonly [UmpMode, UmpMode];
  /** Messages before the sequence numbers wrap around. */
  readonly untilWrap: number;
}

/** Run `steps` random commands; everything sent arrives, once, in order, whole. */
export function runRing({ seed, slotCount, modes, untilWrap }: RingCase, steps: number): void {
  const prng = new Prng(seed);
  const sequence = (UMP_SEQUENCE_MASK + 1 - untilWrap) & UMP_SEQUENCE_MASK;
  const position = { sequence, slotIndex: prng.below(slotCount), sleep: 0 };
  const cells = new Int32Array(umpRingBytes(slotCount) / 4).fill(prng.next32());
  cells.fill(0, 0, UmpHead.$bytes / 4);
  for (let at = UmpHead.$bytes / 4 + 15; at < cells.length; at += 16) cells[at] = 0;
  cells[UmpHead.acked.offset / 4] = sequence;
  const words = new SharedWords(cells);
  const sender = new UmpSender(words, 0, { slotCount, mode: modes[0], position });
  const receiver = new UmpReceiver(words, 0, { slotCount, mode: modes[1], position });
  const queue: { words: number[]; note: number }[] = [];
  const message = new Uint32Array(14);
  const into = new Uint32Array(14);
  let isFlushed = true;

  const send = (): void => {
    const wordCount = prng.below(15);
    for (let i = 0; i < 14; i++) message[i] = prng.next32();
    const isLast = prng.below(3) === 0;
    const note = prng.below(2) === 0 ? 0 : prng.next32() | 0;
    const isSent = sender.trySend(message, wordCount, isLast, note);
    if (isSent) queue.push({ words: [...message.subarray(0, wordCount)], note });
    else expect(queue.length).toBeGreaterThan(slotCount / 2);
    isFlushed = isLast || !isSent || modes[0] === 'latency';
    expect(queue.length).toBeLessThanOrEqual(slotCount);
  };
  const receive = (): void => {
    const wordCount = receiver.tryReceive(into);
    if (wordCount < 0) {
      if (isFlushed) expect(queue).toHaveLength(0);
      return;
    }
    expect({ words: [...into.subarray(0, wordCount)], note: receiver.note }).toEqual(queue.shift());
  };

  for (let step = 0; step < steps; step++) {
    const isBurst = prng.below(8) === 0;
    const act = prng.below(2) === 0 ? send : receive;
    for (let left = isBurst ? slotCount : 1; left > 0; left--) act();
  }
}

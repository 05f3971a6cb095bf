/** One ring, both ends in one thread: what goes in comes out, and what the head says. */

import {
  UMP_PAYLOAD_WORDS,
  UMP_SEQUENCE_MASK,
  UmpControl,
  UmpHead,
  umpRingBytes,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { NOTHING, UmpReceiver } from './receiver.ts';
import { CONTROL, NOTE, type RingOptions, SEQUENCE_STEP, SLOT_WORDS } from './ring.ts';
import { UmpSender } from './sender.ts';
import { SharedWords } from './words.ts';

interface Ring {
  readonly cells: Int32Array;
  readonly sender: UmpSender;
  readonly receiver: UmpReceiver;
  /** How often the bell of each was rung. */
  readonly rung: { sender: number; receiver: number };
}

function create(slotCount: number, more: Partial<RingOptions> = {}): Ring {
  const cells = new Int32Array(new SharedArrayBuffer(umpRingBytes(slotCount)));
  cells[UmpHead.acked.offset / 4] = more.position?.sequence ?? 0;
  const words = new SharedWords(cells);
  const rung = { sender: 0, receiver: 0 };
  const options = { slotCount, ...more };
  const sender = new UmpSender(words, 0, { ...options, ringDoorbell: () => void rung.receiver++ });
  const receiver = new UmpReceiver(words, 0, {
    ...options,
    ringDoorbell: () => void rung.sender++,
  });
  return { cells, sender, receiver, rung };
}

/** A message of `wordCount` words that begins with `n`. */
const message = (n: number, wordCount = 14): Uint32Array =>
  Uint32Array.from({ length: wordCount }, (_, i) => n + i * 0x1111_1111);

function receive(receiver: UmpReceiver): number[] | undefined {
  const into = new Uint32Array(14);
  const wordCount = receiver.tryReceive(into);
  return wordCount === NOTHING ? undefined : [...into.subarray(0, wordCount)];
}

describe('a message', () => {
  it.each([0, 1, 7, 14])('of %d words arrives whole, with its note', (wordCount) => {
    const { sender, receiver } = create(4);
    const sent = message(0xffff_fff0, wordCount);
    expect(receive(receiver)).toBeUndefined();
    expect(sender.trySend(sent, wordCount, true, 0xabcd_ef01)).toBe(true);
    expect([receiver.hasMessage(), receiver.peekNote() >>> 0]).toEqual([true, 0xabcd_ef01]);
    expect(receive(receiver)).toEqual([...sent]);
    expect(receiver.note >>> 0).toBe(0xabcd_ef01);
    expect([receiver.hasMessage(), receive(receiver)]).toEqual([false, undefined]);
  });

  it('longer than a slot is a bug of its sender', () => {
    const { sender } = create(4);
    expect(() => sender.trySend(message(1, 15), 15)).toThrow('longer than a slot');
  });
});

describe('a ring', () => {
  it.each([1, 2, 3, 29])('of %d slots takes as many messages, and then one for each taken', (n) => {
    const { sender, receiver } = create(n);
    for (let i = 0; i < n; i++) expect(sender.trySend(message(i), 14)).toBe(true);
    for (let i = n; i < 5 * n; i++) {
      expect([sender.hasRoom(), sender.trySend(message(i), 14)]).toEqual([false, false]);
      expect(receive(receiver)).toEqual([...message(i - n)]);
      receiver.acknowledge();
      expect(sender.trySend(message(i), 14)).toBe(true);
    }
  });

  it('is acknowledged half at a time', () => {
    const { sender, receiver } = create(16);
    for (let i = 0; i < 16; i++) sender.trySend(message(i), 14);
    for (let i = 0; i < 7; i++) receive(receiver);
    expect(sender.hasRoom()).toBe(false);
    receive(receiver);
    expect(sender.hasRoom()).toBe(true);
  });

  it('does not go on where the receiver says what cannot be', () => {
    const { cells, sender } = create(2);
    sender.trySend(message(1), 14);
    sender.trySend(message(2), 14);
    for (const acked of [3, -1, -3, 1000, UMP_SEQUENCE_MASK]) {
      cells[UmpHead.acked.offset / 4] = acked;
      expect(sender.hasRoom()).toBe(false);
    }
    cells[UmpHead.acked.offset / 4] = 1;
    expect([sender.trySend(message(3), 14), sender.hasRoom()]).toEqual([true, false]);
  });

  it.each([1, 2, 7, 16])('of %d slots goes on when sequence numbers wrap around', (slotCount) => {
    const position = { sequence: UMP_SEQUENCE_MASK - 20, slotIndex: slotCount - 1, sleep: 0 };
    const { sender, receiver } = create(slotCount, { position });
    let next = 0;
    for (let i = 0; i < 60; i++) {
      while (sender.trySend(message(i), 14)) i++;
      expect(i - next).toBe(slotCount);
      while (receiver.hasMessage()) expect(receive(receiver)).toEqual([...message(next++)]);
      receiver.acknowledge();
      i--;
    }
    expect(receiver.position.sequence).toBeLessThan(100);
  });

  it.each([0, 1.5, 2 ** 20 + 1])('cannot have %d slots', (slotCount) => {
    const words = new SharedWords(new Int32Array(64));
    expect(() => new UmpSender(words, 0, { slotCount })).toThrow('a ring has');
    expect(() => new UmpReceiver(words, 0, { slotCount })).toThrow('a ring has');
  });

  it('goes on with new ends where the old ones were', () => {
    const { cells, sender, receiver } = create(3);
    sender.trySend(message(1), 14);
    sender.trySend(message(2), 14);
    receive(receiver);
    receiver.lieDown();
    sender.trySend(message(3), 14);
    let rung = 0;
    const words = new SharedWords(cells);
    const after = new UmpReceiver(words, 0, { slotCount: 3, position: receiver.position });
    const { position } = sender;
    const before = new UmpSender(words, 0, { slotCount: 3, position, ringDoorbell: () => rung++ });
    expect([receive(after)?.[0], receive(after)?.[0]]).toEqual([2, 3]);
    after.getUp();
    before.trySend(message(4), 14);
    expect(rung).toBe(0);
    expect(receive(after)?.[0]).toBe(4);
    after.lieDown();
    before.trySend(message(5), 14);
    expect(rung).toBe(1);
  });
});

describe('in bulk mode', () => {
  it('a quarter of the ring is published at a time, or what there is with the last message', () => {
    const { sender, receiver } = create(16, { mode: 'bulk' });
    for (let i = 0; i < 3; i++) sender.trySend(message(i), 14, false);
    expect(receiver.hasMessage()).toBe(false);
    sender.trySend(message(3), 14, false);
    for (let i = 0; i < 4; i++) expect(receive(receiver)?.[0]).toBe(i);
    sender.trySend(message(4), 14, false);
    sender.trySend(message(5), 14, true);
    expect([receive(receiver)?.[0], receive(receiver)?.[0]]).toEqual([4, 5]);
    sender.trySend(message(6), 14, false);
    sender.flush();
    expect([receive(receiver)?.[0], receive(receiver)]).toEqual([6, undefined]);
  });

  it('what was kept back is published when the ring is full', () => {
    const { sender, receiver } = create(5, { mode: 'bulk' });
    const latency = create(5).receiver;
    expect(latency.hasMessage()).toBe(false);
    for (let i = 0; i < 5; i++) expect(sender.trySend(message(i), 14, false)).toBe(true);
    expect(sender.trySend(message(5), 14, false)).toBe(false);
    for (let i = 0; i < 5; i++) expect(receive(receiver)?.[0]).toBe(i);
  });
});

describe('the bell is rung', () => {
  it('only while the other side sleeps, and once', () => {
    const { sender, receiver, rung } = create(8);
    sender.trySend(message(1), 14);
    expect(rung.receiver).toBe(0);
    receive(receiver);
    receiver.lieDown();
    receiver.lieDown();
    sender.trySend(message(2), 14);
    sender.trySend(message(3), 14);
    expect(rung.receiver).toBe(1);
    receiver.getUp();
    receiver.getUp();
    sender.trySend(message(4), 14);
    expect(rung.receiver).toBe(1);
    receiver.lieDown();
    sender.trySend(message(5), 14);
    expect(rung.receiver).toBe(2);
  });

  it('for a sender that waits for room', () => {
    const { sender, receiver, rung } = create(2);
    sender.trySend(message(1), 14);
    sender.trySend(message(2), 14);
    sender.lieDown();
    expect(rung.sender).toBe(0);
    receive(receiver);
    receive(receiver);
    expect(rung.sender).toBe(1);
    sender.getUp();
    sender.trySend(message(3), 14);
    receive(receiver);
    expect(rung.sender).toBe(1);
  });

  it('for the end', () => {
    const { sender, receiver, rung } = create(2);
    sender.trySend(message(1), 14);
    receiver.lieDown();
    expect(receiver.isClosed()).toBe(false);
    sender.close();
    expect([rung.receiver, receiver.isClosed(), receive(receiver)?.[0]]).toEqual([1, true, 1]);
  });

  it('before a sender that keeps messages back lies down', () => {
    const { sender, receiver, rung } = create(16, { mode: 'bulk' });
    receiver.lieDown();
    sender.trySend(message(1), 14, false);
    expect(rung.receiver).toBe(0);
    sender.lieDown();
    expect([rung.receiver, receive(receiver)?.[0]]).toEqual([1, 1]);
  });
});

it('literals in hot code are what the layout says', () => {
  expect([UMP_PAYLOAD_WORDS, SEQUENCE_STEP, SLOT_WORDS, NOTE, CONTROL]).toEqual([
    14, 32, 16, 14, 15,
  ]);
  const { LengthShift, LengthMask } = UmpControl;
  expect([LengthShift, LengthMask, ~(LengthMask << LengthShift)]).toEqual([1, 15, -31]);
});

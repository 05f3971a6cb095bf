/**
 * Where the time of an LMP message goes: pieces of it, each beside a whole message one way, so that
 * the ratio is its share. What is left is the machine below and the system call itself.
 *
 * - Lookup: the endpoint in the sender's CSpace, with the guards before every invocation.
 * - Copy: ten words into the ring and out, from the difference to a message without words; both go
 *   many at a time.
 * - Scheduling: registers saved and loaded, address space, timer, and the way into the other
 *   program; from the difference between a message that takes the core along and one that does not.
 */
import { checkOwned, checkRights, lookupSlot, slotOf } from '@barreleye/caps';
import { Dcb, Kcb, Rights } from '@barreleye/spec';
import type { Bench, Gauge } from '../bench.ts';
import { ENDPOINT, MESSAGE_WORDS, MessagePair } from '../message-pair.ts';

const MESSAGES = 5000;
const LOOKUPS = 10_000;
/** Messages that go one way before the receiver gets the core. */
const BATCH = 16;
const MOST_WORDS = 10;

export const benches: readonly Bench[] = [
  piece('capability lookup', lookingUp),
  piece('copy of ten words', () => {
    const time = sending(BATCH, MOST_WORDS);
    const empty = sending(BATCH, 0);
    return () => time() - empty();
  }),
  piece('scheduling', () => {
    const time = sending(1, MESSAGE_WORDS);
    const many = sending(BATCH, MESSAGE_WORDS);
    return () => ((time() - many()) * BATCH) / (BATCH - 1);
  }),
];

/** @param prepare makes what measures one round: nanoseconds of the piece in one message */
function piece(name: string, prepare: () => () => number): Bench {
  return {
    name: `share of an LMP message: ${name}`,
    unit: 'ns/op',
    baselineName: 'LMP one way',
    setup: () => ({
      operations: 1,
      subject: gauge(prepare()),
      baseline: gauge(sending(1, MESSAGE_WORDS)),
    }),
  };
}

function gauge(round: () => number): Gauge {
  return { round };
}

/** Time of one message, of which `batch` at a time go one way and one comes back. */
function sending(batch: number, words: number): () => number {
  const pair = new MessagePair(batch, words);
  const count = Math.ceil(MESSAGES / (batch + 1));
  return () => {
    const start = performance.now();
    pair.run(count);
    return ((performance.now() - start) * 1e6) / (count * (batch + 1));
  };
}

function lookingUp(): () => number {
  const pair = new MessagePair(1);
  pair.run(1);
  const { caps, mem, kcb } = pair.kernel;
  const root = Dcb.cspace.at(Kcb.current.get(mem, kcb));
  const seen = { sum: 0 };
  return () => {
    const start = performance.now();
    let sum = 0;
    for (let i = 0; i < LOOKUPS; i++) {
      const slot = slotOf(lookupSlot(caps, root, ENDPOINT, 2, Rights.Read));
      sum += checkRights(mem, slot, Rights.Write) + checkOwned(caps, slot);
    }
    seen.sum += sum;
    return ((performance.now() - start) * 1e6) / LOOKUPS;
  };
}

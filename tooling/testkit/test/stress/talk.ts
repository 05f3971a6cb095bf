/** What the domains of the stress test say to each other, and how it shows if something is lost. */

import { Prng } from '@barreleye/core';
import { array, bytes, call, defineInterface, oneway, string, u32 } from '@barreleye/rpc';

const MAX_BODY_BYTES = 4096;
const MAX_PROBLEM_BYTES = 200;
/** More domains than a history starts. */
const MAX_DEAD = 256;

/** A message of a conversation: its number there, from 1 on, and a checksum over all of it. */
const MESSAGE = { conversation: u32, number: u32, sum: u32, body: bytes(MAX_BODY_BYTES) } as const;

export const Talk = defineInterface('talk', {
  /** Is answered by the same, the other way round. */
  say: call(MESSAGE, MESSAGE),
  tell: oneway(MESSAGE),
});

/** For the conductor of the test. */
export const Steer = defineInterface('steer', {
  /** There is another one to talk to. */
  meet: call({ id: u32 }, {}),
  /** Talk to nobody any more; what was found wrong, and who did not answer. */
  rest: call(
    {},
    {
      problem: string(MAX_PROBLEM_BYTES),
      dead: array(u32, MAX_DEAD),
      saidCount: u32,
      heardCount: u32,
    },
  ),
});

export interface Message {
  readonly conversation: number;
  readonly number: number;
  readonly sum: number;
  readonly body: Uint8Array;
}

/** The `number`-th message of a conversation, of any length that a message can have. */
export function createMessage(prng: Prng, conversation: number, number: number): Message {
  // Most are short; some need a fragment more or less; some are as long as can be.
  const limit = [2, 60, 130, MAX_BODY_BYTES + 1][prng.below(4)] ?? 1;
  const body = new Uint8Array(prng.below(limit));
  for (let i = 0, bits = prng.next32(); i < body.length; i++) {
    body[i] = bits >>> (i & 31);
    if ((i & 15) === 0) bits = Math.imul(bits, 0x0101_0101) + i;
  }
  return signed(conversation, number, body);
}

export function answerTo({ conversation, number, body }: Message): Message {
  return signed(conversation, number, body.toReversed());
}

/** Whether it is what somebody has sent. */
export function isWhole({ conversation, number, sum, body }: Message): boolean {
  return sum === signed(conversation, number, body).sum;
}

function signed(conversation: number, number: number, body: Uint8Array): Message {
  let sum = Math.imul(conversation ^ 0x9e37_79b9, 31) + number;
  for (const byte of body) sum = (Math.imul(sum, 31) + byte) | 0;
  return { conversation, number, sum: sum >>> 0, body };
}

/** A generator for each of several uses of one seed. */
export function prngFor(seed: number, use: number): Prng {
  return new Prng(Math.imul(seed, 0x9e37_79b1) + use);
}

/** `drive ump`: both ends of a channel, and a schedule that says which of them acts next. */

import { Prng } from '@barreleye/core';
import { UMP_MAX_SLOTS, UMP_PAYLOAD_WORDS } from '@barreleye/spec';
import { NOTHING, SharedWords, UmpEnd, umpChannelBytes } from '@barreleye/ump';
import { z } from 'zod';
import { numeric, parseInput, word32 } from './input.ts';

const Messages = z.array(z.array(word32).max(UMP_PAYLOAD_WORDS));

const UmpCase = z.strictObject({
  slots: numeric.refine((n) => n >= 1 && n <= UMP_MAX_SLOTS, `expected 1 to ${UMP_MAX_SLOTS}`),
  messages: Messages,
  reverse: Messages.default([]),
  schedule: z.union([numeric, z.array(z.enum(['s', 'r']))]).default(1),
  stallReceiverAt: numeric.optional(),
});

/** Run a case. */
export function driveUmp(document: unknown): unknown {
  const { slots, messages, reverse, schedule, stallReceiverAt } = parseInput(UmpCase, document);
  const words = new SharedWords(new Int32Array(new SharedArrayBuffer(umpChannelBytes(slots))));
  const options = { slotCount: slots };
  const sender = new Side(new UmpEnd(words, 0, 'client', options), messages);
  const receiver = new Side(new UmpEnd(words, 0, 'server', options), reverse, stallReceiverAt);
  const steps =
    typeof schedule === 'number'
      ? runRandomly(sender, receiver, new Prng(schedule))
      : runList(sender, receiver, schedule);
  return {
    arrived: receiver.arrived,
    reverseArrived: sender.arrived,
    fullStalls: sender.fullStalls + receiver.fullStalls,
    steps,
  };
}

/** Let chance decide, until neither side can go on. @returns how often a side had its turn */
function runRandomly(sender: Side, receiver: Side, prng: Prng): number {
  let steps = 0;
  const idle = new Set<Side>();
  while (idle.size < 2) {
    const side = prng.below(2) === 0 ? sender : receiver;
    if (side.step()) idle.clear();
    else idle.add(side);
    steps += 1;
  }
  return steps;
}

function runList(sender: Side, receiver: Side, schedule: readonly ('s' | 'r')[]): number {
  for (const letter of schedule) (letter === 's' ? sender : receiver).step();
  return schedule.length;
}

/** An end, what it has to send, and what it has received. */
class Side {
  readonly arrived: number[][] = [];
  fullStalls = 0;
  private readonly end: UmpEnd;
  private readonly messages: readonly (readonly number[])[];
  private readonly stallAt: number;
  private readonly buffer = new Uint32Array(UMP_PAYLOAD_WORDS);
  private sentCount = 0;

  constructor(
    end: UmpEnd,
    messages: readonly (readonly number[])[],
    stallAt = Number.POSITIVE_INFINITY,
  ) {
    this.end = end;
    this.messages = messages;
    this.stallAt = stallAt;
  }

  /** Send the next message and take one. @returns whether either was done */
  step(): boolean {
    if (this.arrived.length >= this.stallAt) return false;
    const hasSent = this.send();
    return this.receive() || hasSent;
  }

  private send(): boolean {
    const message = this.messages[this.sentCount];
    if (message === undefined) return false;
    this.buffer.set(message);
    const isSent = this.end.sender.trySend(this.buffer, message.length);
    if (isSent) this.sentCount += 1;
    else this.fullStalls += 1;
    return isSent;
  }

  private receive(): boolean {
    const wordCount = this.end.receiver.tryReceive(this.buffer);
    if (wordCount === NOTHING) return false;
    this.end.receiver.acknowledge(); // at once, so that a ring is full exactly when it has no room
    this.arrived.push([...this.buffer.subarray(0, wordCount)]);
    return true;
  }
}

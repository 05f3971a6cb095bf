/** A side of a channel in a worker of its own: sends, receives and checks numbered messages. */

import { parentPort, workerData } from 'node:worker_threads';
import { Prng } from '@barreleye/core';
import { Doorbell, ENDED, receive, SharedWords, send, UmpEnd, type UmpMode } from '../src/index.ts';

export interface RingJob {
  readonly buffer: SharedArrayBuffer;
  readonly side: 'client' | 'server';
  readonly slotCount: number;
  readonly mode: UmpMode;
  readonly messageCount: number;
  readonly seed: number;
  readonly pollBudget: number;
}

const { buffer, side, slotCount, mode, messageCount, seed, pollBudget } = workerData as RingJob;

// Two bells, and the channel on the lines behind them.
const cells = new Int32Array(buffer);
const [own, other] = side === 'client' ? [0, 16] : [16, 0];
const doorbell = new Doorbell(cells, own);
const peer = new Doorbell(cells, other);
let rungCount = 0;
const ringDoorbell = (): void => {
  rungCount += 1;
  peer.ring();
};
const end = new UmpEnd(new SharedWords(cells), 32, side, { slotCount, mode, ringDoorbell });
const prng = new Prng(seed);
const message = new Uint32Array(14);

/** Now and then one side is slow. */
function dawdle(): void {
  if (prng.below(64) === 0) for (let left = prng.below(2000); left > 0; left--) prng.next32();
}

function sendAll(): void {
  for (let i = 0; i < messageCount; i++) {
    message.fill(Math.imul(i, 0x9e37_79b1));
    message[0] = i;
    dawdle();
    if (!send(end, message, 1 + (i % 14), doorbell, pollBudget)) throw new Error('it has closed');
  }
}

function receiveAll(): void {
  for (let i = 0; i < messageCount; i++) {
    dawdle();
    const wordCount = receive(end, message, doorbell, pollBudget);
    if (wordCount !== 1 + (i % 14) || message[0] !== i) throw new Error(`${message[0]}, not ${i}`);
    const word = Math.imul(i, 0x9e37_79b1) >>> 0;
    for (let at = 1; at < wordCount; at++) if (message[at] !== word) throw new Error('torn');
  }
}

if (side === 'client') {
  sendAll();
  receiveAll();
  end.close();
} else {
  receiveAll();
  sendAll();
  const last = receive(end, message, doorbell, pollBudget);
  if (last !== ENDED) throw new Error(`${last} words, but the client has closed`);
}
parentPort?.postMessage(rungCount);

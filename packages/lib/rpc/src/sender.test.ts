/** How a message goes out: fragment by fragment, and what the transport makes of each. */

import { OK } from '@barreleye/core';
import { type Capref, capref } from '@barreleye/libos';
import { expect, it } from 'vitest';
import { Loop } from './loop.ts';
import { Sender } from './sender.ts';
import { ReceiveResult, SendResult, type Transport } from './transport.ts';

/** A transport that gives the core away with the last fragment of a message. */
class Leaving implements Transport {
  readonly maxWords = 4;
  readonly isDead = false;
  readonly receivedCap = undefined;
  readonly log: string[] = [];

  trySend(words: Uint32Array, wordCount: number, cap: Capref | undefined, isLast: boolean) {
    const body = [...words.subarray(0, wordCount)].slice(isLast ? 1 : 2);
    this.log.push(`${body}${cap ? ' with a capability' : ''}${isLast ? ', the last' : ''}`);
    return isLast ? SendResult.Left : SendResult.Sent;
  }
  tryReceive = (): number => ReceiveResult.Nothing;
  whenReceivable = (): void => undefined;
  whenSendable = (): void => undefined;
  readonly hasPeer = true;
  whenPeerGone = (): void => undefined;
  dropCap = (): void => undefined;
  close = (): void => undefined;
}

it('says which fragment is the last, and yields at once when the core is gone', () => {
  const loop = new Loop();
  const transport = new Leaving();
  const sender = new Sender(loop, transport, 8);
  loop.create(
    'sender',
    (function* () {
      yield* sender.take();
      for (const word of [10, 11, 12]) sender.writer.word(word);
      for (const slot of [1, 2]) sender.writer.cap(capref(4, slot), false);
      expect(yield* sender.send(2, 0, 5)).toBe(OK);
      transport.log.push('sent');
      sender.release();
    })(),
  );
  loop.create(
    'other',
    (function* () {
      transport.log.push('another thread');
      yield* [];
    })(),
  );
  expect(loop.run()).toEqual([]);
  expect(transport.log).toEqual([
    '10,11 with a capability',
    '12 with a capability, the last',
    'another thread',
    'sent',
  ]);
});

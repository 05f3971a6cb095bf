/** Channels between two domains, with a kernel driven by hand. */

import type { Slot } from '@barreleye/libos';
import { ReceiveResult, SendResult } from '@barreleye/rpc';
import { describe, expect, it } from 'vitest';
import { connect, type LmpChannel, PeerWatch } from '../src/index.ts';
import {
  awaitMessage,
  FRAME,
  Pair,
  receive,
  runSides,
  type Side,
  send,
  TO_SERVER,
} from './pair.ts';

const ASYNC = { isSync: false };

/** A waiter that counts. */
function counter(): { count: number; ready(): void } {
  return {
    count: 0,
    ready() {
      this.count += 1;
    },
  };
}

/** All slots that are free. */
function takeSlots({ os }: Side): Slot[] {
  const all: Slot[] = [];
  for (let slot = os.slots.alloc(); slot.ok; slot = os.slots.alloc()) all.push(slot.value);
  return all;
}

describe('a channel', () => {
  it('carries any number of messages in order through a ring of eight', () => {
    const heard: number[] = [];
    let refusedCount = 0;
    runSides(
      function* (side) {
        while (heard.length < 100) {
          const message = receive(side);
          if (typeof message !== 'number') heard.push(message[0] ?? -1);
          else yield* awaitMessage(side);
        }
      },
      function* (side) {
        for (let i = 0; i < 100; ) {
          const words = Array.from({ length: side.channel.maxWords }, () => i);
          const result = send(side, words);
          if (result === SendResult.Sent) i += 1;
          else {
            expect(result).toBe(SendResult.Busy);
            refusedCount += 1;
            const room = counter();
            side.channel.whenSendable(room);
            expect(room.count).toBe(0);
            while (room.count === 0) yield* side.os.sleep(100);
          }
        }
      },
      ASYNC,
    );
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(refusedCount).toBeGreaterThan(0);
  });

  it('gives the core away with the last message of several, and with no other', () => {
    const order: string[] = [];
    runSides(
      function* (side) {
        for (;;) {
          const message = receive(side);
          if (message === ReceiveResult.Dead) return;
          if (typeof message === 'number') yield* awaitMessage(side);
          else order.push(`got ${message[0]}`);
        }
      },
      function* (side) {
        yield* side.os.sleep(50_000);
        expect(send(side, [1], undefined, false)).toBe(SendResult.Sent);
        order.push('sent 1');
        expect(send(side, [2])).toBe(SendResult.Left);
        yield; // before it does anything else
        order.push('back');
        side.channel.close();
      },
    );
    expect(order.slice(0, 1)).toEqual(['sent 1']);
    expect(order).toContain('back');
    expect(order.filter((each) => each.startsWith('got'))).toEqual(['got 1', 'got 2']);
  });

  it('takes no capability without a slot, and gets a slot when any becomes free', () => {
    let isArmed = false;
    runSides(
      function* (side) {
        const taken = takeSlots(side);
        const { os } = side;
        yield* awaitMessage(side);
        expect(receive(side)).toEqual([1]);
        const first = side.channel.receivedCap;
        const waiter = counter();
        side.channel.whenReceivable(waiter);
        yield* os.sleep(20_000);
        expect(waiter.count).toBe(0); // the sender of the second is told to wait
        for (const slot of taken.splice(0, 1)) os.check(os.slots.free(slot)); // somebody else's
        while (waiter.count === 0) yield* os.sleep(1000);
        expect(receive(side)).toEqual([2]);
        isArmed = side.channel.receivedCap !== undefined;
        if (first !== undefined) side.channel.dropCap(first);
      },
      function* (side) {
        expect(send(side, [1], FRAME)).toBe(SendResult.Sent);
        let result = send(side, [2], FRAME);
        expect(result).toBe(SendResult.Busy);
        while (result === SendResult.Busy) {
          yield* side.os.sleep(1000);
          result = send(side, [2], FRAME);
        }
        expect(result).toBe(SendResult.Sent);
        const nowhere = side.os.allocSlot();
        let refused = send(side, [3], nowhere);
        while (refused === SendResult.Busy) {
          yield* side.os.sleep(1000);
          refused = send(side, [3], nowhere);
        }
        expect(refused).toBe(SendResult.CapInvalid);
      },
      ASYNC,
    );
    expect(isArmed).toBe(true);
  });

  it('that is closed tells both sides, and leaves no slot and no capability behind', () => {
    const free: number[] = [];
    const pair = runSides(
      function* (side) {
        const told = counter();
        side.channel.whenReceivable(told);
        while (told.count === 0) yield* side.os.sleep(1000);
        expect(receive(side)).toEqual([1]);
        if (side.channel.receivedCap !== undefined) side.channel.dropCap(side.channel.receivedCap);
        yield* awaitMessage(side);
        expect([receive(side), side.channel.isDead]).toEqual([ReceiveResult.Dead, true]);
        expect(send(side, [1])).toBe(SendResult.Dead);
        side.channel.close();
        yield* side.os.sleep(1000);
        free.push(side.os.slots.freeCount);
      },
      function* (side) {
        const told = counter();
        side.channel.whenReceivable(told);
        send(side, [1], FRAME);
        side.channel.close();
        expect([told.count, side.channel.isDead]).toEqual([1, true]);
        expect([receive(side), send(side, [1])]).toEqual([ReceiveResult.Dead, SendResult.Dead]);
        yield* side.os.sleep(1000);
        free.push(side.os.slots.freeCount);
      },
      ASYNC,
    );
    expect(free.toSorted((a, b) => a - b)).toEqual([510, 512]); // the server's still listens
    expect(pair.client.capCount).toBe(2); // the listener's, and what it has sent
  });

  it('gives up saying goodbye to whoever never receives', () => {
    let free = 0;
    runSides(
      (side) => side.os.sleep(1_000),
      function* (side) {
        while (send(side, [1, 2, 3]) === SendResult.Sent);
        while (send(side, [1]) === SendResult.Sent);
        side.channel.close();
        yield* side.os.sleep(1_000_000);
        free = side.os.slots.freeCount;
      },
      ASYNC,
    );
    expect(free).toBe(512);
  });
});

describe('the end of the other domain', () => {
  it.each([
    ['its capabilities gone', false],
    ['its capabilities left', true],
  ])('with %s is found by the next message', (_, keepsCaps) => {
    let result = 0;
    const pair = new Pair(
      (os) => acceptOne(os, pair),
      function* (os) {
        yield* os.sleep(10_000);
        const channel = yield* connect(os, TO_SERVER, ASYNC);
        yield* os.sleep(50_000);
        pair.server.kill(keepsCaps);
        expect(channel.isDead).toBe(false);
        result = send({ os, channel }, [1]);
        expect(channel.isDead).toBe(true);
        channel.close();
        yield* os.sleep(1000);
        expect(os.slots.freeCount).toBe(512);
      },
    );
    pair.world.run();
    expect(result).toBe(SendResult.Dead);
  });

  it.each([
    ['its capabilities gone', false],
    ['its capabilities left', true],
  ])('with %s is found when it is told, and all who wait are woken', (_, keepsCaps) => {
    const [receiver, sender] = [counter(), counter()];
    const pair = new Pair(
      (os) => acceptOne(os, pair),
      function* (os) {
        const watch = new PeerWatch();
        yield* os.sleep(10_000);
        const channel: LmpChannel = yield* connect(os, TO_SERVER, { ...ASYNC, watch });
        yield* os.sleep(50_000);
        channel.whenReceivable(receiver);
        while (send({ os, channel }, [1]) === SendResult.Sent);
        channel.whenSendable(sender);
        watch.checkAll();
        expect([receiver.count, sender.count, watch.size]).toEqual([0, 0, 1]);
        pair.server.kill(keepsCaps);
        watch.checkAll();
        expect([receiver.count, sender.count, watch.size]).toEqual([1, 1, 0]);
        expect(receive({ os, channel })).toBe(ReceiveResult.Dead);
        channel.whenReceivable(receiver);
        channel.whenSendable(sender);
        expect([receiver.count, sender.count]).toEqual([2, 2]);
      },
    );
    pair.world.run();
    expect(receiver.count).toBe(2);
  });
});

/** A server that takes one client, and then does nothing. */
function* acceptOne(os: Side['os'], pair: Pair): Generator<void, void, void> {
  yield* pair.listen(os).accept();
  yield* os.sleep(1e6);
}

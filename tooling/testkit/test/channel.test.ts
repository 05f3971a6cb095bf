/** What channels do at their limits: full rings, no slots, the end. */

import {
  type Capref,
  capCopy,
  capIdentify,
  capMint,
  type Os,
  type Slot,
  TASK_DISPATCHER_FRAME,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { channelPair, connect, type LmpChannel, LmpListener, lmpSend } from '@barreleye/lmp';
import { ReceiveResult, SendResult } from '@barreleye/rpc';
import { Err, Rights } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkEveryEntry, runFirstDomain, TARGETS } from '../src/index.ts';

const wishes = { wrapDriver: checkEveryEntry };
const FRAME = TASK_DISPATCHER_FRAME;

/** A waiter that counts. */
function counter(): { count: number; ready(): void } {
  return {
    count: 0,
    ready() {
      this.count += 1;
    },
  };
}

function send(channel: LmpChannel, words: readonly number[], cap?: Capref): SendResult {
  return channel.trySend(Uint32Array.from(words), words.length, cap, true);
}

/** The words of the next message, or why there are none. */
function receive(channel: LmpChannel): number[] | number {
  const into = new Uint32Array(channel.maxWords);
  const count = channel.tryReceive(into);
  return count < 0 ? count : [...into.subarray(0, count)];
}

/** Let the kernel and all threads have their turns. */
function* settle(os: Os): Wait<void> {
  yield* os.sleep(20_000);
}

describe.each(TARGETS)('on $name', (target) => {
  test('I61: messages arrive in order, and a ring that was full takes more', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const [here, there] = channelPair(os);
        const long = Array.from({ length: here.maxWords }, (_, i) => 0xffff_fff0 + i);
        let sent = 0;
        while (send(here, [sent, ...long.slice(1)]) === SendResult.Sent) sent += 1;
        expect(sent).toBe(8);
        expect(send(here, long)).toBe(SendResult.Busy);
        const room = counter();
        here.whenSendable(room);
        expect(room.count).toBe(0);
        for (let i = 0; i < sent; i++) expect(receive(there)).toEqual([i, ...long.slice(1)]);
        expect(receive(there)).toBe(ReceiveResult.Nothing);
        yield* settle(os);
        expect(room.count).toBe(1);
        expect(send(here, [7])).toBe(SendResult.Sent);
        expect(receive(there)).toEqual([7]);
      },
      wishes,
    );
  });

  test('who registers when there is something already is told at once', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const [here, there] = channelPair(os);
        const [early, late] = [counter(), counter()];
        there.whenReceivable(early);
        send(here, [1]);
        yield* settle(os);
        expect(early.count).toBe(1);
        there.whenReceivable(late);
        expect([early.count, late.count]).toEqual([1, 1]);
      },
      wishes,
    );
  });

  test('34: without a slot for it, who sends a capability is told to wait', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const [here, there] = channelPair(os);
        os.slots.refill = undefined;
        const all: Slot[] = [];
        for (let slot = os.slots.alloc(); slot.ok; slot = os.slots.alloc()) all.push(slot.value);
        expect(send(here, [1], FRAME)).toBe(SendResult.Sent); // into the slot set aside before
        expect(send(here, [2], FRAME)).toBe(SendResult.Busy);
        expect(receive(there)).toEqual([1]);
        const first = there.receivedCap;
        expect(send(here, [2], FRAME)).toBe(SendResult.Busy);
        expect(send(here, [3])).toBe(SendResult.Sent); // words alone need no slot
        if (first !== undefined) there.dropCap(first);
        expect(send(here, [2], FRAME)).toBe(SendResult.Sent);
        expect(receive(there)).toEqual([3]);
        expect(receive(there)).toEqual([2]);
        expect(there.receivedCap).toBeDefined();
        for (const slot of all) os.check(os.slots.free(slot));
        yield* settle(os);
      },
      wishes,
    );
  });

  test('a capability that is not there cannot be sent, the words can', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const [here, there] = channelPair(os);
        expect(send(here, [1], os.allocSlot())).toBe(SendResult.CapInvalid);
        expect(receive(there)).toBe(ReceiveResult.Nothing);
        const frozen = unwrap(capMint(os.sys, os.allocSlot(), FRAME, Rights.All & ~Rights.Grant));
        expect(send(here, [1], frozen)).toBe(SendResult.CapInvalid);
        expect(send(here, [1])).toBe(SendResult.Sent);
        yield* settle(os);
      },
      wishes,
    );
  });

  test('the other side receives what was sent before the end, also from a full ring', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const free = os.slots.freeCount;
        const [here, there] = channelPair(os);
        const [told, toldHere] = [counter(), counter()];
        send(here, [0], FRAME);
        let sent = 1;
        while (send(here, [sent]) === SendResult.Sent) sent += 1;
        send(there, [5], FRAME); // nobody will receive it
        here.whenReceivable(toldHere);
        here.close();
        here.close();
        expect([here.isDead, there.isDead, toldHere.count > 0]).toEqual([true, false, true]);
        expect([receive(here), send(here, [1])]).toEqual([ReceiveResult.Dead, SendResult.Dead]);
        yield* settle(os);
        expect(receive(there)).toEqual([0]);
        if (there.receivedCap !== undefined) there.dropCap(there.receivedCap);
        for (let i = 1; i < sent; i++) expect(receive(there)).toEqual([i]);
        there.whenReceivable(told);
        yield* settle(os);
        expect(receive(there)).toBe(ReceiveResult.Dead);
        expect([there.isDead, told.count > 0]).toEqual([true, true]);
        there.close();
        yield* settle(os);
        expect(os.slots.freeCount).toBe(free);
      },
      wishes,
    );
  });

  test('an endpoint that may not be written to, or is gone, is a dead peer', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const { sys } = os;
        const listener = new LmpListener(os);
        const readOnly = unwrap(capMint(sys, os.allocSlot(), listener.cap, Rights.Read));
        const copy = unwrap(capCopy(sys, os.allocSlot(), listener.cap));
        const free = os.slots.freeCount;
        expect(yield* failureOf(connect(os, readOnly))).toMatchObject({
          errval: Err.LIB_ERR_LMP_CONNECT,
        });
        listener.close();
        expect(unwrap(capIdentify(sys, FRAME)).type).toBe('Frame');
        expect(capIdentify(sys, copy).ok).toBe(false);
        expect(yield* failureOf(connect(os, copy))).toMatchObject({
          errval: Err.LIB_ERR_LMP_CONNECT,
        });
        expect(os.slots.freeCount).toBe(free + 2); // the listener's endpoint and receive slot
      },
      wishes,
    );
  });

  test('a listener drops what is no attempt to connect', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const listener = new LmpListener(os);
        const free = os.slots.freeCount;
        const accepted = os.spawnThread('listener', listener.accept());
        const stranger = unwrap(capCopy(os.sys, os.allocSlot(), listener.cap));
        const own = os.createEndpoint(64);
        const say = (words: number[], cap?: Capref): SendResult =>
          lmpSend(os.sys, stranger, Uint32Array.from(words), words.length, cap, false);
        say([1, 2, 3]);
        yield* settle(os);
        say([0x3150_4d4c]); // no capability
        yield* settle(os);
        say([0x3150_4d4c], FRAME); // no endpoint
        yield* settle(os);
        say([0x3150_4d4c, 1], own.cap); // no greeting
        yield* settle(os);
        expect(accepted.state).toBe('blocked');
        const here = yield* connect(os, listener.cap);
        const there = (yield* os.join(accepted)) as LmpChannel;
        send(here, [9]);
        expect(receive(there)).toEqual([9]);
        here.close();
        there.close();
        os.destroyEndpoint(own);
        yield* os.destroy(stranger);
        yield* settle(os);
        expect(os.slots.freeCount).toBe(free);
      },
      wishes,
    );
  });
});

/** What `step` throws. */
function* failureOf(step: Wait<unknown>): Wait<unknown> {
  try {
    return yield* step;
  } catch (error) {
    return error;
  }
}

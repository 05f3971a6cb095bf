/** How domains come to have a channel, and what a hostile one can do about it. */

import { type Capref, capMint, type Os, type Slot, unwrap, type Wait } from '@barreleye/libos';
import { ReceiveResult, SendResult } from '@barreleye/rpc';
import { archX86_64, Err, Rights } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  connect,
  Invitation,
  type ListenerOptions,
  type LmpChannel,
  lmpSend,
  PeerWatch,
} from '../src/index.ts';
import {
  awaitMessage,
  FRAME,
  failureOf,
  Pair,
  receive,
  type Side,
  send,
  TO_SERVER,
} from './pair.ts';

const HELLO = 0x3150_4d4c;
const REFUSED = { errval: Err.LIB_ERR_LMP_CONNECT };
const ASYNC = { isSync: false };

/** Send back what the other side says until it is gone. */
function* echo(side: Side): Wait<void> {
  for (;;) {
    const message = receive(side);
    const cap = side.channel.receivedCap;
    if (cap !== undefined) side.channel.dropCap(cap);
    if (message === ReceiveResult.Dead) break;
    if (typeof message === 'number') yield* awaitMessage(side);
    else send(side, message);
  }
  side.channel.close();
}

/** A server that takes all clients, and is told now and then that some domain has ended. */
function* echoAll(os: Os, pair: Pair, options?: ListenerOptions): Wait<void> {
  const listener = pair.listen(os, options);
  const watch = new PeerWatch();
  function* tell(): Wait<void> {
    for (let i = 0; i < 100; i++) {
      yield* os.sleep(20_000);
      watch.checkAll();
    }
  }
  os.spawnThread('teller', tell());
  for (;;) {
    const channel = yield* listener.accept({ ...ASYNC, watch });
    os.spawnThread('echo', echo({ os, channel }));
  }
}

/** Run `client` beside such a server. */
function runClient(
  client: (os: Os) => Wait<unknown>,
  server: (os: Os, pair: Pair) => Wait<unknown> = echoAll,
): Pair {
  let isDone = false;
  const pair: Pair = new Pair(
    (os) => server(os, pair),
    function* (os) {
      yield* os.sleep(10_000);
      yield* client(os);
      isDone = true;
    },
  );
  pair.world.run();
  expect(isDone).toBe(true);
  return pair;
}

/** Whether a channel can be had and used; it is closed again. */
function* isServed(os: Os): Wait<boolean> {
  const channel = yield* connect(os, TO_SERVER, ASYNC);
  send({ os, channel }, [42]);
  yield* awaitMessage({ os, channel });
  const answer = receive({ os, channel });
  channel.close();
  yield* os.sleep(1000);
  return Array.isArray(answer) && answer[0] === 42;
}

describe('a listener', () => {
  it('takes any number of clients, one after the other', () => {
    let served = 0;
    const pair = runClient(function* (os) {
      for (let i = 0; i < 5; i++) if (yield* isServed(os)) served += 1;
      expect(os.slots.freeCount).toBe(512);
    });
    expect([served, pair.server.capCount]).toEqual([5, 1]);
  });

  it('that has room for no more endpoints refuses a client, and goes on', () => {
    let count = 0;
    const pair = runClient(function* (os) {
      const channels: LmpChannel[] = [];
      let failure: unknown;
      while (failure === undefined) {
        const made = yield* failureOf(connect(os, TO_SERVER, ASYNC));
        if (made instanceof Error) failure = made;
        else channels.push(made as LmpChannel);
      }
      expect(failure).toMatchObject(REFUSED);
      count = channels.length;
      for (const channel of channels) channel.close();
      yield* os.sleep(10_000);
      expect(yield* isServed(os)).toBe(true);
      expect(os.slots.freeCount).toBe(512);
    });
    expect(count).toBeGreaterThan(10);
    expect(pair.server.capCount).toBe(1);
  });

  it('without slots refuses a client, and takes the next when there are some', () => {
    const results: unknown[] = [];
    runClient(
      function* (os) {
        for (let i = 0; i < 3; i++) results.push(yield* failureOf(connect(os, TO_SERVER)));
        yield* os.sleep(60_000);
        results.push(yield* isServed(os));
      },
      function* (os, pair) {
        os.spawnThread('server', echoAll(os, pair));
        yield* os.giveWay();
        const slots: Slot[] = [];
        for (let slot = os.slots.alloc(); slot.ok; slot = os.slots.alloc()) slots.push(slot.value);
        yield* os.sleep(50_000);
        for (const slot of slots) os.check(os.slots.free(slot));
      },
    );
    expect(results).toMatchObject([REFUSED, REFUSED, REFUSED, true]);
  });

  it('gives one client so many channels at a time, and another as many', () => {
    const results: unknown[] = [];
    const pair: Pair = new Pair(
      (os) => echoAll(os, pair, { maxPerPeer: 2 }),
      function* (os) {
        yield* os.sleep(10_000);
        const first = yield* connect(os, TO_SERVER, ASYNC);
        const second = yield* connect(os, TO_SERVER, ASYNC);
        results.push(yield* failureOf(connect(os, TO_SERVER, ASYNC)));
        yield* os.sleep(100_000); // the other client has its turn
        first.close();
        yield* os.sleep(10_000);
        results.push(yield* isServed(os));
        second.close();
      },
    );
    pair.world.add('other', function* (os) {
      yield* os.sleep(50_000);
      results.push(yield* isServed(os));
    });
    pair.world.run();
    expect(results).toMatchObject([REFUSED, true, true]);
    expect(pair.server.capCount).toBe(1);
  });

  it('counts no channel that it has closed itself', () => {
    let count = 0;
    const pair: Pair = new Pair(
      function* (os) {
        const listener = pair.listen(os, { maxPerPeer: 1 });
        for (;;) {
          const channel = yield* listener.accept(ASYNC);
          yield* os.sleep(10_000);
          channel.close();
        }
      },
      function* (os) {
        for (; count < 3; count++) {
          yield* os.sleep(20_000);
          yield* connect(os, TO_SERVER, ASYNC);
        }
      },
    );
    pair.world.run();
    expect(count).toBe(3);
  });

  it('counts no channel of the dead, whose place another may have got', () => {
    let isAccepted = false;
    const pair: Pair = new Pair(
      function* (os) {
        const listener = pair.listen(os, { maxPerPeer: 1 });
        yield* listener.accept(ASYNC);
        pair.client.kill();
        yield* listener.accept(ASYNC);
        isAccepted = true;
      },
      function* (os) {
        yield* os.sleep(10_000);
        yield* connect(os, TO_SERVER, ASYNC);
      },
    );
    const heir = function* (os: Os): Wait<void> {
      yield* os.sleep(50_000);
      yield* connect(os, TO_SERVER, ASYNC);
    };
    pair.world.add('heir', heir, archX86_64, pair.client.id);
    pair.world.run();
    expect(isAccepted).toBe(true);
  });

  it('that is closed refuses who waits for its answer, and who comes later', () => {
    const results: unknown[] = [];
    const pair: Pair = new Pair(
      function* (os) {
        const listener = pair.listen(os);
        yield* os.sleep(50_000);
        listener.close();
        expect(os.slots.freeCount).toBe(512);
      },
      function* (os) {
        yield* os.sleep(10_000);
        results.push(yield* failureOf(connect(os, TO_SERVER)));
        results.push(yield* failureOf(connect(os, TO_SERVER)));
        expect(os.slots.freeCount).toBe(512);
      },
    );
    pair.world.run();
    expect(results).toMatchObject([REFUSED, REFUSED]);
  });

  it('survives any messages, loses no slot, and takes the next client (seed 58)', () => {
    const word = fc.oneof(fc.constant(HELLO), fc.nat(0xffff_ffff));
    const cap = fc.constantFrom(
      'none',
      'frame',
      'unarmed',
      'full',
      'good',
      'read-only',
      'listener',
    );
    const message = fc.tuple(fc.array(word, { maxLength: 4 }), cap, fc.boolean());
    const property = fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
      const pair = runClient(function* (os) {
        for (const [words, kind, isHello] of messages) {
          yield* sayAnything(os, isHello ? [HELLO] : words, kind);
        }
        yield* os.sleep(200_000); // the server is told
        expect(yield* isServed(os)).toBe(true);
        expect(os.slots.freeCount).toBe(512);
      });
      // The endpoint of its listener: no channel, and nothing that was sent, is left.
      expect(pair.server.capCount).toBe(1);
    });
    fc.assert(property, { seed: 58, numRuns: 60 });
  });
});

/** One message to the listener, with a capability of some kind; nothing is left of it here. */
function* sayAnything(os: Os, words: readonly number[], kind: string): Wait<void> {
  const own = os.createEndpoint(16);
  const readOnly = unwrap(capMint(os.sys, os.allocSlot(), own.cap, Rights.Read));
  if (kind !== 'unarmed') own.buffer.arm(os.allocSlot());
  if (kind === 'full')
    while (lmpSend(os.sys, own.cap, Uint32Array.of(1), 1, undefined, false) === 0);
  const caps: { readonly [name: string]: Capref | undefined } = {
    frame: FRAME,
    unarmed: own.cap,
    full: own.cap,
    good: own.cap,
    'read-only': readOnly,
    listener: TO_SERVER,
  };
  const sent = lmpSend(os.sys, TO_SERVER, Uint32Array.from(words), words.length, caps[kind], false);
  expect([SendResult.Sent, SendResult.Busy]).toContain(sent);
  yield* os.sleep(2000);
  while (own.buffer.hasMessage()) {
    const cap = own.buffer.tryReceive()?.cap;
    if (cap !== undefined) yield* os.destroy(cap);
  }
  os.destroyEndpoint(own);
  os.check(os.slots.free(readOnly));
}

describe('an invitation', () => {
  it('becomes the other end of a channel when the domain connects', () => {
    let heard: unknown;
    const pair: Pair = new Pair(
      function* (os) {
        const invitation = new Invitation(os);
        pair.client.give(TO_SERVER, pair.server, invitation.cap);
        const channel = yield* invitation.accept(ASYNC);
        yield* os.sleep(10_000);
        if (channel !== undefined) heard = receive({ os, channel });
        channel?.close();
        yield* os.sleep(1000);
        expect(os.slots.freeCount).toBe(512);
      },
      function* (os) {
        yield* os.sleep(10_000);
        const channel = yield* connect(os, TO_SERVER, ASYNC);
        send({ os, channel }, [5]);
      },
    );
    pair.world.run();
    expect(heard).toEqual([5]);
  });

  it('that is withdrawn ends the wait of both sides', () => {
    const results: unknown[] = [];
    const pair: Pair = new Pair(
      function* (os) {
        const invitation = new Invitation(os);
        pair.client.give(TO_SERVER, pair.server, invitation.cap);
        yield* os.sleep(50_000); // somebody has asked
        invitation.withdraw();
        invitation.withdraw();
        results.push(yield* invitation.accept());
        const other = new Invitation(os);
        const waiting = os.spawnThread('waits', other.accept());
        yield* os.sleep(1000);
        other.withdraw();
        results.push(yield* os.join(waiting));
        expect(os.slots.freeCount).toBe(512);
      },
      function* (os) {
        yield* os.sleep(10_000);
        results.push(yield* failureOf(connect(os, TO_SERVER)));
      },
    );
    pair.world.run();
    expect(results).toMatchObject([undefined, REFUSED, undefined]);
  });
});

describe('who connects', () => {
  it('to what is no endpoint any more is told, with and without slots', () => {
    const pair: Pair = new Pair(
      function* (os) {
        const listener = pair.listen(os);
        yield* os.sleep(1000);
        listener.close();
      },
      function* (os) {
        yield* os.sleep(10_000);
        expect(yield* failureOf(connect(os, TO_SERVER))).toMatchObject(REFUSED);
        const all: Slot[] = [];
        for (let slot = os.slots.alloc(); slot.ok; slot = os.slots.alloc()) all.push(slot.value);
        expect(yield* failureOf(connect(os, TO_SERVER))).toMatchObject({
          errval: Err.LIB_ERR_SLOT_ALLOC_NO_SPACE,
        });
        expect(os.slots.freeCount).toBe(0);
      },
    );
    pair.world.run();
  });
});

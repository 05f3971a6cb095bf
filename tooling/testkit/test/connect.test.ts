/** How domains connect when the other side is dead, dies, closes, is hostile, or has no slots. */

import { OK } from '@barreleye/core';
import {
  type Capref,
  capCopy,
  capref,
  holds,
  type Os,
  program,
  TASK_DISPATCHER_FRAME,
  TASK_ROOT_CN,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { connect, LmpChannel, LmpListener, lmpSend, PeerWatch } from '@barreleye/lmp';
import {
  bindClient,
  call,
  defineInterface,
  ReceiveResult,
  SendResult,
  serve,
} from '@barreleye/rpc';
import { type SpawnedDomain, spawnProgram } from '@barreleye/spawn';
import { capAddrOf, Err, RootSlot, TaskSlot } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import {
  checkEveryEntry,
  type FirstDomain,
  moduleCap,
  runFirstDomain,
  spawnerOf,
  TARGETS,
} from '../src/index.ts';

const RAM_BYTES = 32 * 2 ** 20;
const HELLO = [0x3150_4d4c];

const Never = defineInterface('never', { never: call({}, {}) });

/** Where a spawned domain finds the endpoint of its spawner's listener. */
const INIT_EP: Capref<'EndPointLMP'> = capref(RootSlot.TaskCn, TaskSlot.InitEp);

/** What a test has of the other domain. */
interface Other {
  readonly spawned: SpawnedDomain;
  /** The endpoint that it has sent first, in a slot of this domain. */
  readonly endpoint: Capref<'EndPointLMP'>;
}

/** Start the first of the other programs, and wait for the endpoint that it sends. */
function* meetOther(domain: FirstDomain): Wait<Other> {
  const { os } = domain;
  const mailbox = os.createEndpoint(64);
  mailbox.buffer.arm(os.allocSlot());
  const spawned = unwrap(spawnProgram(spawnerOf(domain), { name: 'other', image: moduleCap(0) }));
  const cptr = capAddrOf(RootSlot.TaskCn, TaskSlot.InitEp) as typeof INIT_EP.cptr;
  unwrap(capCopy(os.sys, { croot: spawned.rootCn.cptr, cptr, level: 2 }, mailbox.cap));
  const { cap } = yield* os.receive(mailbox.buffer);
  if (cap === undefined) throw new Error('there should be an endpoint');
  os.destroyEndpoint(mailbox);
  return { spawned, endpoint: holds<'EndPointLMP'>(cap) };
}

/** What `step` throws. */
function* failureOf(step: Wait<unknown>): Wait<unknown> {
  try {
    return yield* step;
  } catch (error) {
    return error;
  }
}

/** Let the kernel and all threads have their turns. */
function* settle(os: Os): Wait<void> {
  yield* os.sleep(20_000);
}

function send(os: Os, to: Capref<'EndPointLMP'>, words: number[], cap?: Capref): SendResult {
  return lmpSend(os.sys, to, Uint32Array.from(words), words.length, cap, false);
}

/** The words of the next message, or why there are none. */
function receive(channel: LmpChannel): number[] | number {
  const into = new Uint32Array(channel.maxWords);
  const count = channel.tryReceive(into);
  return count < 0 ? count : [...into.subarray(0, count)];
}

describe.each(TARGETS)('on $name', (target) => {
  /** Run `main` beside a domain that listens, sends the endpoint to connect to, and does `then`. */
  function runBeside(
    then: (os: Os, listener: LmpListener) => Wait<unknown>,
    main: (os: Os, other: Other) => Wait<void>,
  ): void {
    const other = program('other', function* (os) {
      const listener = new LmpListener(os);
      expect(send(os, INIT_EP, [1], listener.cap)).toBe(SendResult.Sent);
      yield* then(os, listener);
    });
    runFirstDomain(
      target,
      function* (domain) {
        const met = yield* meetOther(domain);
        yield* main(domain.os, met);
        met.spawned.kill(); // if it has not been
      },
      { ramBytes: RAM_BYTES, others: [other] },
    );
  }

  test('who has asked a domain that is then ended is told that nobody listens', () => {
    runBeside(
      (os) => os.sleep(1e9),
      function* (os, { spawned, endpoint }) {
        const watch = new PeerWatch();
        const attempt = os.spawnThread('connects', failureOf(connect(os, endpoint, { watch })));
        yield* settle(os);
        watch.checkAll(); // somebody else has ended
        yield* settle(os);
        expect([attempt.state, watch.size]).toEqual(['blocked', 1]);
        os.check(spawned.kill());
        const free = os.slots.freeCount + 2; // its endpoint and a slot for the answer
        watch.checkAll();
        expect(yield* os.join(attempt)).toMatchObject({ errval: Err.LIB_ERR_LMP_CONNECT });
        expect([watch.size, os.slots.freeCount]).toEqual([0, free]);
        const late = yield* failureOf(connect(os, endpoint));
        expect(late).toMatchObject({ errval: Err.LIB_ERR_LMP_CONNECT });
        expect(os.slots.freeCount).toBe(free);
      },
    );
  });

  test('who has no room to ask, and whose listener is ended then, is told so', () => {
    runBeside(
      (os) => os.sleep(1e9),
      function* (os, { spawned, endpoint }) {
        while (send(os, endpoint, [1]) === SendResult.Sent);
        const attempt = os.spawnThread('connects', failureOf(connect(os, endpoint)));
        yield* settle(os);
        expect(attempt.state).not.toBe('done');
        os.check(spawned.kill());
        expect(yield* os.join(attempt)).toMatchObject({ errval: Err.LIB_ERR_LMP_CONNECT });
      },
    );
  });

  test('who has asked a listener that is closed then is refused', () => {
    runBeside(
      function* (os, listener) {
        yield* os.sleep(100_000);
        const free = os.slots.freeCount;
        listener.close();
        expect(os.slots.freeCount).toBe(free + 2); // the endpoint and its receive slot
      },
      function* (os, { endpoint }) {
        const free = os.slots.freeCount;
        const failure = yield* failureOf(connect(os, endpoint));
        expect(failure).toMatchObject({ errval: Err.LIB_ERR_LMP_CONNECT });
        expect(os.slots.freeCount).toBe(free);
      },
    );
  });

  test('a server, and who sends to a full ring, end when the other domain is found gone', () => {
    let isServed = false;
    runBeside(
      function* (os, listener) {
        yield* listener.accept();
        yield* os.sleep(1e9); // it receives nothing
      },
      function* (os, { spawned, endpoint }) {
        const watch = new PeerWatch();
        const channel = yield* connect(os, endpoint, { watch });
        const serving = os.spawnThread(
          'server',
          serve(os.scheduler, channel, Never, { never: () => ({}) }),
        );
        yield* settle(os);
        expect(serving.state).toBe('blocked');
        os.check(spawned.kill());
        const free = os.slots.freeCount + 3; // both endpoints and a slot to receive
        watch.checkAll();
        expect(yield* os.join(serving)).toBe(OK);
        isServed = true;
        yield* settle(os);
        expect([channel.isDead, watch.size, os.slots.freeCount]).toEqual([true, 0, free]);
      },
    );
    expect(isServed).toBe(true);
  });

  test('calls end when the other domain is found gone, also those that wait for room', () => {
    runBeside(
      function* (os, listener) {
        yield* serve(os.scheduler, yield* listener.accept(), Never, {
          *never() {
            yield* os.sleep(1e9);
            return {};
          },
        });
      },
      function* (os, { spawned, endpoint }) {
        const watch = new PeerWatch();
        const channel = yield* connect(os, endpoint, { watch });
        const server = yield* bindClient(os.scheduler, channel, Never);
        const callers = Array.from({ length: 100 }, (_, i) =>
          os.spawnThread(`caller ${i}`, failureOf(server.never({}))),
        );
        yield* settle(os);
        expect(callers.map(({ waitReason }) => waitReason)).toContain('waits for the turn to send');
        os.check(spawned.kill());
        watch.checkAll();
        for (const caller of callers) {
          expect(yield* os.join(caller)).toMatchObject({ errval: Err.RPC_ERR_CLOSED });
        }
        expect(watch.size).toBe(0);
      },
    );
  });

  test('a channel is watched from its making to its end', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const watch = new PeerWatch();
        const listener = new LmpListener(os);
        const accepted = os.spawnThread('listener', listener.accept({ watch }));
        const here = yield* connect(os, listener.cap, { watch });
        const there = (yield* os.join(accepted)) as LmpChannel;
        expect(watch.size).toBe(2);
        watch.checkAll();
        expect([here.isDead, there.isDead, watch.size]).toEqual([false, false, 2]);
        here.close();
        expect(watch.size).toBe(1);
        yield* settle(os);
        watch.checkAll(); // whose goodbye has not been received
        expect([there.isDead, watch.size]).toEqual([false, 0]);
        expect(receive(there)).toBe(ReceiveResult.Dead);
        there.close();
        // One whose other side is gone before there is a channel.
        const gone = os.createEndpoint(64);
        const copy = unwrap(capCopy(os.sys, os.allocSlot(), gone.cap));
        os.destroyEndpoint(gone);
        const late = new LmpChannel(os, os.createEndpoint(64), copy, { watch });
        expect([late.isDead, watch.size]).toEqual([true, 0]);
        late.close();
        yield* settle(os);
      },
      { wrapDriver: checkEveryEntry },
    );
  });

  test('a client that cannot be answered holds up nobody', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const listener = new LmpListener(os);
        const free = os.slots.freeCount;
        const own = os.createEndpoint(64);
        const hostile: [string, (copy: Capref<'EndPointLMP'>) => void, Capref?][] = [
          ['has no slot', () => undefined],
          [
            'has no room',
            (copy) => {
              own.buffer.arm(os.allocSlot());
              while (send(os, copy, [1]) === SendResult.Sent);
            },
          ],
          ['is a frame', () => undefined, TASK_DISPATCHER_FRAME],
          ['is a CNode', () => undefined, TASK_ROOT_CN],
          ['is the listener itself', () => undefined, listener.cap],
        ];
        for (const [name, prepare, cap = own.cap] of hostile) {
          prepare(own.cap);
          const accepted = os.spawnThread('listener', listener.accept());
          expect(send(os, listener.cap, HELLO, cap), name).toBe(SendResult.Sent);
          yield* settle(os);
          expect([name, os.events.isPolling, accepted.state]).toEqual([name, false, 'blocked']);
          const here = yield* connect(os, listener.cap);
          const there = (yield* os.join(accepted)) as LmpChannel;
          here.close();
          there.close();
          yield* settle(os);
        }
        expect(own.buffer.tryReceive()?.words).toEqual([]); // that the first was refused
        while (own.buffer.tryReceive()?.words.length === 1);
        expect(own.buffer.hasMessage()).toBe(false);
        os.destroyEndpoint(own);
        expect(os.slots.freeCount).toBe(free);
      },
      { wrapDriver: checkEveryEntry },
    );
  });
});

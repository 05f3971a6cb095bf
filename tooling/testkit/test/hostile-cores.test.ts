/**
 * Domains that mean harm to those of another core. Each may spoil its own channels and nothing
 * else: beside it other domains of both cores go on, and both monitors; when it has ended, nothing
 * of it is left on any core.
 */

import { Prng } from '@barreleye/core';
import {
  type Capref,
  holds,
  notifySend,
  type Os,
  TASK_DOMAIN,
  TASK_INIT_EP,
  TASK_ROOT_CN,
  type Wait,
} from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { bindClient } from '@barreleye/rpc';
import { umpClosedOffset } from '@barreleye/ump';
import { describe, expect, test } from 'vitest';
import {
  expectAllInventories,
  runSystem,
  TARGETS,
  type Tester,
  type TestTarget,
  takeAllInventories,
} from '../src/index.ts';
import {
  A_WHILE,
  brief,
  CORES,
  Echo,
  echo,
  end,
  expectOthersGoOn,
  ignore,
  relay,
  start,
  stay,
  victim,
} from './hostile/honest.ts';
import {
  bindBadly,
  CHANNEL_WORDS,
  type RawChannel,
  RawChannels,
  SLOT_COUNT,
  scribble,
  serveBadly,
} from './hostile/raw-channel.ts';

const [target] = TARGETS as [TestTarget];
const WISHES = { coreCount: CORES, ramBytes: 192 * 2 ** 20 };

/** What a hostile domain does. */
type Evil = (os: ProgramOs) => Wait<unknown>;

/**
 * Run a hostile domain on one core, and a victim on the other. Others go on; it is killed, again
 * and again, and nothing is left.
 */
function endure(core: number, main: Evil): void {
  const evil = program('evil', function* (os) {
    yield* ignore(main(os));
    yield* stay(os);
  });
  runSystem(
    target,
    function* (tester) {
      const { os } = tester;
      yield* os.system.awaitCores({});
      for (let i = 0; i < CORES; i++) {
        os.drop((yield* start(os, i, 'echo')).domain);
        os.drop((yield* start(os, i, 'relay')).domain);
        yield* os.names.waitFor(`relay/${i}`);
      }
      function* round(): Wait<void> {
        const { domain } = yield* start(os, core, 'evil');
        const near = yield* start(os, core, 'victim');
        const far = yield* start(os, 1 - core, 'victim');
        yield* os.sleep(A_WHILE);
        yield* expectOthersGoOn(tester);
        yield* os.sleep(4 * A_WHILE);
        yield* expectOthersGoOn(tester);
        expect(yield* end(os, domain)).toMatch(/^(killed|exited|faulted)/);
        yield* expectOthersGoOn(tester);
        for (const each of [near, far]) expect(yield* end(os, each.domain)).toBe('killed ');
      }
      yield* round();
      yield* round();
      const before = yield* takeAllInventories(tester);
      yield* round();
      yield* expectAllInventories(tester, before);
    },
    { ...WISHES, others: [echo, relay, victim, brief, evil] },
  );
}

/** Write at random places, now and then over all of it, without end. */
function* scribbleForEver(os: Os, raw: RawChannel): Wait<never> {
  const prng = new Prng(raw.channel);
  for (;;) {
    const heads = [0, 1, 2, 3, 16, 17, 32, 33, 34, 48].map((word) => word + prng.below(16));
    const word = prng.below(2) === 0 ? prng.below(CHANNEL_WORDS) : (heads[prng.below(10)] ?? 0);
    yield* scribble(os, raw, word, prng.below(2) === 0 ? prng.next32() : prng.below(64));
    if (prng.below(8) === 0) notifySend(os.sys, raw.bell);
    if (prng.below(8) === 0) yield* os.sleep(1 + prng.below(20_000));
    yield* os.preempt();
  }
}

/** A few calls as they should be, and then nonsense. */
function* callAndScribble(os: Os, raw: RawChannel): Wait<void> {
  const client = yield* bindClient(os.scheduler, raw.transport, Echo);
  for (let i = 0; i < 5; i++) yield* client.again({ body: new Uint8Array(100 * i) });
  yield* scribbleForEver(os, raw);
}

/** Say that this end is closed, and go on as if it were not. */
function* closeAndGoOn(os: Os, raw: RawChannel): Wait<void> {
  const { transport } = raw;
  const side = raw.side;
  yield* scribble(os, raw, umpClosedOffset(SLOT_COUNT, side) / 4, 1);
  notifySend(os.sys, raw.bell);
  const words = Uint32Array.of(0x0002_00f1, 7, 1, 2);
  for (let i = 0; i < 1000; i++) {
    transport.trySend(words, words.length, undefined, true);
    yield* os.sleep(500);
  }
}

function* ringForEver(os: Os, { bell }: RawChannel): Wait<never> {
  for (;;) {
    for (let i = 0; i < 200; i++) {
      notifySend(os.sys, bell);
      yield* os.preempt();
    }
    yield* os.sleep(300_000); // or it would have its core for a time slice at a time
  }
}

/** Send calls, and receive nothing; then nothing any more. */
function* sendOnly(os: Os, { transport }: RawChannel): Wait<never> {
  const words = Uint32Array.of(1, 0, 0, 0);
  for (let i = 0; ; i++) {
    words[1] = i;
    transport.trySend(words, 2 + (i & 1), undefined, i % 3 === 0);
    yield* os.sleep(2000);
  }
}

function* doNothing(): Wait<void> {}

describe.each([0, 1])('a domain of core %i is endured that', (core) => {
  test.each<readonly [string, (raw: RawChannel, os: Os) => Wait<unknown>]>([
    ['writes anywhere in its channels', (raw, os) => scribbleForEver(os, raw)],
    ['writes anywhere in channels over which it has called', (raw, os) => callAndScribble(os, raw)],
    ['says that it has closed, and goes on', (raw, os) => closeAndGoOn(os, raw)],
    ['rings without end', (raw, os) => ringForEver(os, raw)],
    ['sends and receives nothing', (raw, os) => sendOnly(os, raw)],
    ['says nothing', doNothing],
  ])('%s, as a client and as a server', (_, treat) => {
    endure(core, function* (os) {
      const raws = yield* RawChannels.create(os);
      yield* bindBadly(raws, (raw) => treat(raw, os));
      yield* serveBadly(raws, (raw) => treat(raw, os));
    });
  });

  test('opens as many channels as it can', () => {
    endure(core, function* (os) {
      const raws = yield* RawChannels.create(os);
      const irefs = [yield* raws.irefOf(`echo/${1 - core}`)];
      if (core !== 0) irefs.push((yield* os.system.nameService({})).iref);
      for (let i = 0; i < 300; i++) {
        for (const iref of irefs) os.spawnThread('binds', ignore(os.system.bindAcross({ iref })));
        yield* os.sleep(1000);
      }
    });
  });

  test('never accepts', () => {
    endure(core, function* (os) {
      const raws = yield* RawChannels.create(os);
      const listener = os.services.listen();
      yield* raws.register('evil', (yield* os.system.export({ endpoint: listener.cap })).iref);
    });
  });

  test('accepts and closes channels of others', () => {
    endure(core, function* (os) {
      yield* RawChannels.create(os);
      for (let channel = 0; channel < 200; channel++) {
        yield* ignore(os.system.acceptAcross({ channel }));
        yield* ignore(os.system.closeAcross({ channel }));
        yield* ignore(os.system.withdraw({ iref: core * 2 ** 24 + channel }));
      }
    });
  });

  test('exports what is no listener', () => {
    endure(core, function* (os) {
      const raws = yield* RawChannels.create(os);
      const own = os.createEndpoint(16);
      const others: readonly Capref[] = [TASK_INIT_EP, TASK_ROOT_CN, TASK_DOMAIN, own.cap];
      for (const [i, cap] of others.entries()) {
        const endpoint = holds<'EndPointLMP'>(cap);
        const exported: { iref?: number } = {};
        yield* ignore(
          (function* () {
            exported.iref = (yield* os.system.export({ endpoint })).iref;
          })(),
        );
        yield* ignore(raws.register(i === 0 ? 'evil' : `evil/${i}`, exported.iref ?? 0));
      }
      for (let i = 0; i < 100; i++) yield* ignore(os.system.export({ endpoint: own.cap }));
      os.destroyEndpoint(own);
    });
  });

  test('binds to whatever it can think of', () => {
    endure(core, function* (os) {
      yield* RawChannels.create(os);
      const prng = new Prng(core);
      for (let i = 0; i < 200; i++) {
        const iref = (prng.below(4) * 2 ** 24 + prng.below(40)) >>> 0;
        os.spawnThread('binds', ignore(os.system.bindAcross({ iref })));
        yield* ignore(os.system.serviceOwner({ iref: prng.next32() }));
        yield* ignore(os.system.list({ core: prng.below(5) }));
      }
    });
  });
});

/** Binds to a service of the other core and calls it, again and again. */
const binder = program('binder', function* (os) {
  for (;;) {
    const client = yield* os.names.connect(`echo/${1 - os.coreId}`, Echo, true);
    yield* client.again({ body: new Uint8Array(10) });
  }
});

/** Is the service that `victim` looks for. */
const shortLived = program('evil', function* (os) {
  yield* os.names.serve('evil', Echo, { again: ({ body }) => ({ body }) });
});

test('domains may die at any time while they are bound, and nothing is left', () => {
  runSystem(
    target,
    function* (tester: Tester) {
      const { os } = tester;
      yield* os.system.awaitCores({});
      for (let i = 0; i < CORES; i++) {
        os.drop((yield* start(os, i, 'echo')).domain);
        os.drop((yield* start(os, i, 'relay')).domain);
        yield* os.names.waitFor(`relay/${i}`);
      }
      function* round(): Wait<void> {
        for (let i = 0; i < 60; i++) {
          const core = i & 1;
          const near = yield* start(os, core, 'binder');
          const server = yield* start(os, core, 'evil');
          const far = yield* start(os, 1 - core, 'victim');
          yield* os.sleep(1 + i * 1999);
          for (const { domain } of [server, near, far]) {
            expect(yield* end(os, domain)).toBe('killed ');
          }
        }
        yield* expectOthersGoOn(tester);
      }
      yield* round();
      const before = yield* takeAllInventories(tester);
      yield* round();
      yield* expectAllInventories(tester, before);
    },
    { ...WISHES, others: [echo, relay, victim, brief, binder, shortLived] },
  );
});

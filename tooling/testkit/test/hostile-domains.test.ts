/**
 * Domains that mean harm, started in a whole system by somebody at its console: neither init nor a
 * service breaks, others go on, and when such a domain has ended, nothing of it is left.
 */

import {
  type Capref,
  capDelete,
  capRetype,
  capRevoke,
  capref,
  holds,
  type Os,
  OsError,
  program,
  rootCapref,
  TASK_DOMAIN,
  TASK_INIT_EP,
  TASK_ROOT_CN,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { connect } from '@barreleye/lmp';
import { NameService, System, Terminal } from '@barreleye/program';
import { bindClient, type Client } from '@barreleye/rpc';
import { L2_CNODE_SLOTS, RootSlot } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { Desk, TARGETS, type TestTarget } from '../src/index.ts';

const EVIL = 'evil';

type SystemClient = Client<typeof System.methods>;
type TerminalClient = Client<typeof Terminal.methods>;
type NamesClient = Client<typeof NameService.methods>;

/** What every domain may do. */
function* reachInit(os: Os): Wait<SystemClient> {
  return yield* bindClient(os.scheduler, yield* connect(os, TASK_INIT_EP), System);
}

function* nameServiceEndpoint(system: SystemClient): Wait<Capref<'EndPointLMP'>> {
  return (yield* system.bind(yield* system.nameService({}))).endpoint;
}

function* reachNames(os: Os, system: SystemClient): Wait<NamesClient> {
  const endpoint = yield* nameServiceEndpoint(system);
  return yield* bindClient(os.scheduler, yield* connect(os, endpoint), NameService);
}

function* reachTerminal(os: Os): Wait<TerminalClient> {
  const system = yield* reachInit(os);
  const names = yield* reachNames(os, system);
  const { endpoint } = yield* system.bind(yield* names.lookup({ name: 'terminal' }));
  return yield* bindClient(os.scheduler, yield* connect(os, endpoint), Terminal);
}

/** Do `step`, whatever comes of it. */
function* ignore(step: Wait<unknown>): Wait<void> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
  }
}

/** Stay until somebody kills it. */
function* stay(os: Os): Wait<never> {
  for (;;) yield* os.sleep(1e12);
}

/** Every slot that a domain has without asking for more, the first slots last. */
function* everySlot(): Generator<Capref> {
  for (let l1 = RootSlot.ArgCn; l1 >= 0; l1--) {
    for (let slot = L2_CNODE_SLOTS - 1; slot >= 0; slot--) yield capref(l1, slot);
  }
  for (let l1 = RootSlot.ArgCn; l1 >= 0; l1--) yield rootCapref(l1);
}

/**
 * Run a hostile domain in the background, see that others can work beside it, kill it; twice,
 * because what the first time leaves may be of use for the second.
 */
function endure(target: TestTarget, main: (os: Os) => Wait<unknown>): Desk {
  const desk = new Desk(target, [program(EVIL, main)]);
  const round = (): void => {
    expect(desk.type(`${EVIL} &`)).toContain('is domain');
    expect(desk.type('hello; echo goes on')).toMatch(/hello, world\n.*goes on\n/s);
    const killed = desk.type(`kill ${EVIL}`) + desk.type('');
    expect(killed).toMatch(/was killed|there is no domain/);
    expect(desk.type('hello; ps')).toMatch(/hello, world\n(?!.*evil).*shell\n/s);
  };
  desk.inventory();
  round();
  const before = desk.inventory();
  round();
  expect(desk.inventory()).toEqual(before);
  expect(desk.failures([EVIL])).toEqual([]);
  return desk;
}

describe.each(TARGETS)('on $name', (target) => {
  test('a domain that revokes all that it holds takes nothing from anybody', () => {
    endure(target, function* (os) {
      const system = yield* reachInit(os);
      yield* system.bind(yield* (yield* reachNames(os, system)).lookup({ name: 'terminal' }));
      for (const cap of everySlot()) capRevoke(os.sys, cap);
      yield* stay(os);
    });
  });

  test('a domain that deletes all that it holds can be killed', () => {
    endure(target, function* (os) {
      yield* reachInit(os);
      for (const cap of everySlot()) capDelete(os.sys, cap);
      yield* stay(os);
    });
  });
});

const [target] = TARGETS as [TestTarget];

test('who waits for Ctrl-C, as often as it can, keeps it from nobody once it is gone', () => {
  const desk = endure(target, function* (os) {
    const terminal = yield* reachTerminal(os);
    for (let i = 0; i < 100; i++) os.spawnThread('waits', ignore(terminal.awaitInterrupt({})));
    yield* stay(os);
  });
  desk.type('count 100000');
  expect(desk.interrupt()).toMatch(/\^C\n.*barreleye> $/s);
});

test.each<readonly [string, (os: Os) => Wait<unknown>]>([
  [
    'takes all the memory that it gets, a page at a time',
    function* (os) {
      const system = yield* reachInit(os);
      for (const bytes of [1, 0, 2 ** 53 - 1]) {
        for (const alignBytes of [0, 3, 4096, 2 ** 52]) {
          yield* ignore(system.allocRam({ bytes, alignBytes }));
        }
      }
      for (let isRefused = false; !isRefused; ) {
        const { freeBytes } = yield* system.memory({});
        yield* ignore(system.allocRam({ bytes: 2 ** 18, alignBytes: 4096 }));
        isRefused = (yield* system.memory({})).freeBytes === freeBytes;
      }
    },
  ],
  [
    'connects to all whom it can find, a thousand times, and has nothing to say',
    function* (os) {
      const system = yield* reachInit(os);
      const names = yield* reachNames(os, system);
      const { endpoint } = yield* system.bind(yield* names.lookup({ name: 'terminal' }));
      const own = yield* nameServiceEndpoint(system);
      for (let i = 0; i < 1000; i++) yield* ignore(connect(os, i % 2 ? endpoint : own));
    },
  ],
  [
    'writes without end and without a line feed',
    function* (os) {
      const terminal = yield* reachTerminal(os);
      for (;;) yield* terminal.write({ text: '\u001b[2J\u0007 a b '.repeat(100) });
    },
  ],
  [
    'calls on and on and receives nothing',
    function* (os) {
      const channel = yield* connect(os, TASK_INIT_EP);
      for (let i = 0; ; i++) {
        channel.trySend(Uint32Array.of(1 + (i << 8), i), 2, TASK_ROOT_CN, false);
        yield* os.giveWay();
      }
    },
  ],
  [
    'begins messages and does not end them',
    function* (os) {
      const endpoint = yield* nameServiceEndpoint(yield* reachInit(os));
      for (let i = 0; i < 16; i++) {
        const channel = yield* connect(os, endpoint);
        channel.trySend(Uint32Array.of(0x0064_00f1, i), 2, TASK_DOMAIN, false);
        channel.trySend(Uint32Array.of(0, i), 2, TASK_DOMAIN, false);
      }
    },
  ],
  [
    'waits for everything as often as it can',
    function* (os) {
      const system = yield* reachInit(os);
      const names = yield* reachNames(os, system);
      for (let i = 0; i < 300; i++) {
        os.spawnThread('a', ignore(system.wait({ domain: TASK_DOMAIN })));
        os.spawnThread('b', ignore(system.awaitDeath({ seen: 2 ** 32 - 1 })));
        os.spawnThread('c', ignore(names.waitFor({ name: `never/${i}` })));
      }
    },
  ],
  [
    'has more dispatchers than one, and kills them',
    function* (os) {
      const system = yield* reachInit(os);
      const { ram } = yield* system.allocRam({ bytes: 65536, alignBytes: 65536 });
      const range = { offset: 0, objectBytes: 0, count: 16 };
      unwrap(capRetype(os.sys, unwrap(os.slots.allocRun(16)), ram, 'Dispatcher', range));
      capRevoke(os.sys, ram);
    },
  ],
  [
    'asks for domains that cannot be made, and gives them everything',
    function* (os) {
      const system = yield* reachInit(os);
      const long = 'x'.repeat(1024);
      const wish = { program: 'hello', args: [], environment: [], caps: [] };
      const all = [TASK_ROOT_CN, TASK_DOMAIN, TASK_INIT_EP].map((cap) => holds<'Null'>(cap));
      yield* ignore(system.spawn({ ...wish, program: 'nobody' }));
      yield* ignore(system.spawn({ ...wish, program: 'init', quotaBytes: 2 ** 53 - 1, caps: all }));
      yield* ignore(system.spawn({ ...wish, args: Array(32).fill(long), caps: all }));
      for (let quotaBytes = 0; quotaBytes < 2 ** 20; quotaBytes += 0xa001) {
        yield* ignore(system.spawn({ ...wish, program: 'producers', quotaBytes, caps: all }));
      }
    },
  ],
])('a domain is endured that %s', (_, main) => {
  endure(target, function* (os) {
    yield* main(os);
    yield* stay(os);
  });
});

function* spawnWithoutEnd(system: SystemClient): Wait<never> {
  for (;;) yield* system.spawn({ program: EVIL, args: [], environment: [], caps: [] });
}

test('a domain that makes domains that make domains has no more memory for it', () => {
  const desk = new Desk(target, [
    program(EVIL, function* (os) {
      const system = yield* reachInit(os);
      yield* ignore(spawnWithoutEnd(system));
      yield* stay(os);
    }),
  ]);
  desk.inventory();
  const round = (): void => {
    desk.type(`${EVIL} &`);
    expect(desk.type('hello')).toContain('hello, world\n');
    const ids = [...desk.type('ps').matchAll(/^ *([0-9]+) .* evil$/gm)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(10);
    desk.type(`kill ${ids.join(' ')}`);
    expect(desk.type('hello; ps')).toMatch(/hello, world\n(?!.*evil).*shell\n/s);
  };
  round();
  const before = desk.inventory();
  round();
  expect(desk.inventory()).toEqual(before);
  expect(desk.failures([EVIL])).toEqual([]);
});

test('a terminal that is killed is started again, and the shell with it', () => {
  const desk = new Desk(target, []);
  for (let i = 0; i < 2; i++) {
    expect(desk.type('kill terminal')).toMatch(/init: shell .* died: .*barreleye> $/s);
    expect(desk.type('hello; ps')).toMatch(/hello, world\n.*7.2 MiB {2}terminal\n.*shell\n/s);
  }
  expect(desk.failures()).toEqual([]);
});

test('init outlives its services', () => {
  const desk = new Desk(target, []);
  desk.type('kill nameservice');
  expect(desk.type('hello')).toContain('the name service has ended');
  expect(desk.type('ps')).toMatch(/init\n(?!.*nameservice).*shell\n/s);
  desk.type('kill shell'); // which cannot be started again
  expect(desk.failures()).toEqual([]);
});

test('who says that it can be asked at what takes no questions is not asked', () => {
  const desk = endure(target, function* (os) {
    const system = yield* reachInit(os);
    yield* ignore(system.offerInspector({ endpoint: holds<'EndPointLMP'>(TASK_ROOT_CN) }));
    yield* stay(os);
  });
  desk.type(`${EVIL} &`);
  expect(desk.type(`threads ${EVIL}`)).toContain('does not answer questions about itself');
});

test('who never gives its turn to read back has it no longer than it lives', () => {
  const desk = new Desk(target, [
    program(EVIL, function* (os) {
      const terminal = yield* reachTerminal(os);
      const line = 'exit 5\n'.repeat(100);
      const wish = { prompt: 'barreleye> ', line, cursor: 7, canComplete: true, hasHistory: true };
      for (let i = 0; i < 100; i++) os.spawnThread('reads', ignore(terminal.readLine(wish)));
      yield* stay(os);
    }),
  ]);
  desk.inventory();
  for (let i = 0; i < 2; i++) {
    desk.type(EVIL);
    for (let j = 0; j < 20; j++) desk.interrupt();
    expect(desk.type('hello')).toContain('hello, world\n');
  }
  expect(desk.type('ps')).not.toContain(EVIL);
  expect(desk.failures([EVIL])).toEqual([]);
});

test('a domain that revokes what init knows it by can be named and killed all the same', () => {
  endure(target, function* (os) {
    capRevoke(os.sys, TASK_DOMAIN);
    capRevoke(os.sys, TASK_INIT_EP);
    yield* stay(os);
  });
});

/** What domains of other cores have of a core that is stopped, and what becomes of it. */

import { type ProgramOs, program } from '@barreleye/program';
import { call, defineInterface, u32 } from '@barreleye/rpc';
import { describe, expect, test } from 'vitest';
import { runSystem, TARGETS, type TestTarget } from '../src/index.ts';

const MIB = 2 ** 20;
const WISHES = { coreCount: 3, ramBytes: 96 * MIB };
const [target] = TARGETS as [TestTarget];

const Count = defineInterface('count', { next: call({}, { count: u32 }) });

/** Counts the calls that it has served. */
const counter = program('counter', function* (os) {
  let count = 0;
  yield* os.names.serve(`count/${os.coreId}`, Count, {
    next: () => {
      count += 1;
      return { count };
    },
  });
});

/** Calls the counter of the core in its first word, once, and keeps the channel. */
const caller = program('caller', function* (os) {
  const client = yield* os.names.connect(`count/${os.args[1]}`, Count, true);
  yield* client.next({});
  yield* os.sleep(1e12);
});

function* spawnOn(os: ProgramOs, core: number, name: string, ...args: string[]) {
  const request = { core, program: name, args, environment: [], caps: [] };
  return (yield* os.system.spawn(request)).domain;
}

function order(os: ProgramOs, core: number) {
  return { core, authority: os.argCap<'ProcessManager'>(1) };
}

describe('what a domain shares with a core that is stopped', () => {
  test.each([0, 2])('is taken from a service of core %i that does not let go of it', (core) => {
    runSystem(
      target,
      function* ({ os, inits }) {
        const domain = yield* spawnOn(os, core, 'counter');
        const client = yield* os.names.connect(`count/${core}`, Count, true);
        for (let count = 1; count < 9; count += 2) {
          os.drop(yield* spawnOn(os, 1, 'caller', String(core)));
          yield* os.sleep(3e6);
          expect((yield* client.next({})).count).toBe(count + 1);
          yield* os.system.suspend({ domain });
          yield* os.system.stopCore(order(os, 1));
          const channels = inits.get(core)?.monitor.channels.list(0) ?? [];
          expect(channels.filter(({ peerCore }) => peerCore === 1)).toEqual([]);
          yield* os.system.startCore(order(os, 1));
          yield* os.system.resume({ domain });
        }
        yield* os.system.kill({ domain });
        expect((yield* os.system.wait({ domain })).end.how).toBe('killed');
      },
      { ...WISHES, others: [counter, caller] },
    );
  });
});

/** Cores that are started and stopped at the same time. */

import type { Thread, Wait } from '@barreleye/libos';
import type { ProgramOs } from '@barreleye/program';
import { expect, test } from 'vitest';
import { runSystem, TARGETS, type Tester, type TestTarget } from '../src/index.ts';

const CORES = 5;
const WISHES = { coreCount: CORES, ramBytes: 128 * 2 ** 20 };
const [target] = TARGETS as [TestTarget];
const ALL_RUN = Array(CORES).fill('running');

function change(os: ProgramOs, kind: 'startCore' | 'stopCore', core: number): Thread {
  const order = { core, authority: os.argCap<'ProcessManager'>(1) };
  return os.spawnThread(`${kind} ${core}`, os.system[kind](order));
}

function* joinAll(os: ProgramOs, threads: readonly Thread[]): Wait<void> {
  for (const thread of threads) yield* os.join(thread);
}

/** How each core that runs sees all of them. */
function viewsOf({ inits }: Tester, cores: readonly number[]): string[][] {
  return cores.map((core) => {
    const all = inits.get(core)?.monitor.peers.all() ?? [];
    return all.map(({ state }) => state);
  });
}

// What goes wrong depends on how far the core that starts has come.
test.each([0, 3e3, 1e4, 2e4, 3e4, 1e5])(
  'a core that starts knows none of those that are stopped %i cycles later',
  (delay) => {
    runSystem(
      target,
      function* (tester) {
        const { os, init } = tester;
        const free: number[] = [];
        for (let round = 0; round < 3; round++) {
          yield* joinAll(os, [change(os, 'stopCore', 2)]);
          const starting = change(os, 'startCore', 2);
          yield* os.sleep(delay);
          const stopping = [change(os, 'stopCore', 1), change(os, 'stopCore', 3)];
          yield* joinAll(os, [starting, ...stopping]);
          const some = ['running', 'off', 'running', 'off', 'running'];
          expect(viewsOf(tester, [0, 2, 4])).toEqual([some, some, some]);
          yield* joinAll(os, [change(os, 'startCore', 1), change(os, 'startCore', 3)]);
          expect(viewsOf(tester, [0, 1, 2, 3, 4])).toEqual(Array(CORES).fill(ALL_RUN));
          yield* os.sleep(1e6);
          free.push(init.memory.mm.freeBytes());
        }
        expect(new Set(free.slice(1)).size, `free bytes: ${free}`).toBe(1);
      },
      WISHES,
    );
  },
);

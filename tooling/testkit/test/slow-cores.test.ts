/**
 * Cores that are slow now and then, as threads of a busy host are: whoever is first, all come up,
 * and know each other.
 */

import { runScript } from '@barreleye/boot';
import { Prng } from '@barreleye/core';
import { Core } from '@barreleye/machine';
import { expect, test } from 'vitest';
import { boot, TARGETS } from '../src/index.ts';

const CORE_COUNT = 5;
const RAM_BYTES = 128 * 2 ** 20;
/** One kernel entry in so many takes long, up to so many cycles. */
const SLOW_ONE_IN = 16;
const SLOW_CYCLES = 3_000_000;

test('cores come up and meet in whatever order they can (seeds 1 to 8)', () => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  for (let seed = 1; seed <= 8; seed++) {
    const prng = new Prng(seed);
    const { machine } = boot(target, {
      ...{ coreCount: CORE_COUNT, ramBytes: RAM_BYTES, seed },
      wrapDriver: (driver, hal) => ({
        onTrap(kind) {
          const isSlow = prng.below(SLOW_ONE_IN) === 0;
          if (isSlow && hal instanceof Core) hal.cycles += prng.below(SLOW_CYCLES);
          driver.onTrap(kind);
        },
      }),
    });
    machine.run(1e10); // a typist would not wait for so long
    const { screen, exitCode } = runScript(machine, ['cores; exit 4']);
    const lines = screen.match(/^core \d: .* running, /gm);
    expect({ seed, lines: lines?.length, exitCode }).toEqual({ seed, lines: 5, exitCode: 4 });
  }
});

/**
 * Many domains, one after the other and beside each other. SPAWN_CYCLES says how many (on the first
 * target; a tenth of it on the others), SPAWN_SEED in which order.
 */

import { describe, test } from 'vitest';
import { TARGETS } from '../src/index.ts';
import { churn } from './churn.ts';

const cycles = Number(process.env['SPAWN_CYCLES'] ?? 300);
const seed = Number(process.env['SPAWN_SEED'] ?? 20261121);

describe.each(TARGETS)('on $name', (target) => {
  const count = target === TARGETS[0] ? cycles : Math.ceil(cycles / 10);
  test(`${count} domains that come and go leave nothing; seed ${seed}`, () => {
    churn(target, { cycles: count, seed });
  }, 3_600_000);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TARGETS } from './bench.ts';
import { Attacker, attack } from './hostile.ts';
test.each([0, 1])('x %i', (ti) => {
  for (let seed = 100; seed < 130; seed++) {
    try {
    fc.assert(
      fc.property(fc.array(attack, { minLength: 300, maxLength: 300, size: 'max' }), (attacks) => {
        const attacker = new Attacker(TARGETS[ti]!);
        for (const [i, each] of attacks.entries()) {
          attacker.do(each);
          if (i % 20 === 19) { const p = attacker.check(); if (p.length) throw new Error(p.slice(0, 5).join('\n')); }
        }
      }),
      { numRuns: 60, seed, endOnFailure: true },
    );
    } catch (e) { console.log('SEED', seed, String((e as any).cause?.stack ?? e).slice(0, 1500), String((e as Error).message).slice(0, 300)); }
  }
}, 600_000);

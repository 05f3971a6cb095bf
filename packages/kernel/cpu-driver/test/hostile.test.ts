import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TARGETS } from './bench.ts';
import { Attacker, attack } from './hostile.ts';

describe.each(TARGETS)('hostile user mode on $name', (target) => {
  test('cannot make the kernel panic, nor break an invariant, nor touch what it has not (I69)', () => {
    let calls = 0;
    fc.assert(
      fc.property(fc.array(attack, { minLength: 250, maxLength: 250, size: 'max' }), (attacks) => {
        const attacker = new Attacker(target);
        for (const [i, each] of attacks.entries()) {
          attacker.do(each);
          if (i % 50 === 49) expect(attacker.check()).toEqual([]);
        }
        expect(attacker.check()).toEqual([]);
        calls += attacker.calls;
      }),
      { numRuns: 80, seed: 1, endOnFailure: false },
    );
    console.log(calls);
  });
});

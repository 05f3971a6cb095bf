import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TARGETS } from './bench.ts';
import { type Attack, Attacker, attack } from './hostile.ts';
import { differences, snapshot } from './memory.ts';
import { watchEntries } from './watch.ts';

const STEPS = 250;
const CHECK_EVERY = 125;

/** So many attacks on one machine. */
function attacks(count: number): fc.Arbitrary<Attack[]> {
  return fc.array(attack, { minLength: count, maxLength: count, size: 'max' });
}

describe.each(TARGETS)('hostile user mode on $name', (target) => {
  test('cannot make the kernel panic, break an invariant or write what it has not (I69)', () => {
    const answers = new Map<string, number>();
    fc.assert(
      fc.property(attacks(STEPS), (all) => {
        const attacker = new Attacker(target);
        for (const [i, each] of all.entries()) {
          attacker.do(each);
          if (i % CHECK_EVERY === 0) expect(attacker.check()).toEqual([]);
        }
        expect(attacker.check()).toEqual([]);
        for (const [name, n] of attacker.answers) answers.set(name, (answers.get(name) ?? 0) + n);
      }),
      { numRuns: 80, seed: 1 },
    );
    const callCount = [...answers.values()].reduce((sum, n) => sum + n, 0);
    expect(callCount).toBeGreaterThan(10_000);
    expect(answers.get('OK'), 'many get far').toBeGreaterThan(2000);
    expect(answers.size, 'kinds of answers').toBeGreaterThan(35);
  });

  test('makes no step that breaks an invariant', () => {
    fc.assert(
      fc.property(attacks(STEPS), (all) => {
        const attacker = new Attacker(target);
        const problems: string[] = [];
        let last: Attack | undefined;
        watchEntries(attacker.bench, problems, () => JSON.stringify(last), CHECK_EVERY);
        for (const each of all) {
          last = each;
          attacker.do(each);
          expect(problems).toEqual([]);
        }
      }),
      { numRuns: 10, seed: 3 },
    );
  });

  test('sees no difference when the CPU driver is replaced at every entry (I70)', () => {
    fc.assert(
      fc.property(attacks(120), (all) => {
        const [kept, replaced] = [new Attacker(target), new Attacker(target)];
        replaced.bench.afterEntry = () => replaced.bench.replaceDriver();
        for (const each of all) {
          kept.do(each);
          replaced.do(each);
        }
        const [before, after] = [snapshot(kept.bench), snapshot(replaced.bench)];
        expect(differences(kept.bench, before, after)).toEqual([]);
        expect(replaced.answers).toEqual(kept.answers);
        expect(replaced.bench.core.cycles).toBe(kept.bench.core.cycles);
        expect(replaced.bench.core.regs).toEqual(kept.bench.core.regs);
        expect(replaced.bench.core.mmu.root).toBe(kept.bench.core.mmu.root);
        expect(replaced.bench.core.timerDeadline).toBe(kept.bench.core.timerDeadline);
      }),
      { numRuns: 12, seed: 2 },
    );
  });
});

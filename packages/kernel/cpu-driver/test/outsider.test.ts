import { describe, expect, test } from 'vitest';
import { TARGETS } from './bench.ts';
import { attackFromOutside } from './outsider.ts';

/** On all targets together. */
const callCount = Number(process.env['HOSTILE_CALLS'] ?? 50_000);
const seed = Number(process.env['HOSTILE_SEED'] ?? 20261121);
const share = Math.ceil(callCount / TARGETS.length);
/** For a soak that somebody asks for; the usual run takes a few seconds. */
const TIME_LIMIT = 3_600_000;

describe.each(TARGETS)('a domain without authority on $name', (target) => {
  test(
    `changes nothing but itself in ${share} random calls (seed ${seed}, I69)`,
    () => {
      const { problems, answers } = attackFromOutside(target, share, seed);
      expect(problems).toEqual([]);
      expect(answers.get('OK'), 'some get far').toBeGreaterThan(share / 100);
      expect(answers.size, 'kinds of answers').toBeGreaterThan(20);
    },
    TIME_LIMIT,
  );
});

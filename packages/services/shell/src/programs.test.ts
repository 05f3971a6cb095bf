/** Ends of programs, whatever else happens at the same time: threads meet in every order. */

import { Prng } from '@barreleye/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Twin } from '../test/twin.ts';

const SEED = 63;

/** A program that ends after so many turns with this value. */
interface Start {
  readonly turns: number;
  readonly value: number;
  readonly isBackground: boolean;
  /** Ctrl-C after so many turns. */
  readonly interruptAfter: number | undefined;
}

const starts = (hasInterrupts: boolean): fc.Arbitrary<Start[]> =>
  fc.array(
    fc.record({
      turns: fc.nat(30),
      value: fc.nat(100),
      isBackground: fc.boolean(),
      interruptAfter: hasInterrupts
        ? fc.option(fc.nat(40), { nil: undefined })
        : fc.constant(undefined),
    }),
    { maxLength: 8 },
  );

/** Type one line a start; what was shown up to the prompt after the last job has ended. */
function run(
  seed: number,
  list: readonly Start[],
  joins: boolean,
): { twin: Twin; shown: string[] } {
  const twin = new Twin({ prng: new Prng(seed) });
  const from = twin.terminal.lines.length;
  const lines = list.map(({ turns, value, isBackground }, i) => {
    return `soon ${turns} ${value} ${isBackground ? '&' : `; echo ${i}:$?`}`;
  });
  for (const [i, line] of (joins ? [lines.join('; ')] : lines).entries()) {
    const after = list[i]?.interruptAfter;
    if (after !== undefined) twin.after(after, () => twin.terminal.interrupt());
    twin.type(line);
  }
  return { twin, shown: twin.terminal.lines.slice(from) };
}

/** Every job has been told of once, and nothing of it is left. */
function expectAllTold({ shell, terminal, heldCount }: Twin, shown: readonly string[]): void {
  expect(terminal.edited).toBeDefined();
  expect(shell.session.jobs.all()).toEqual([]);
  expect(heldCount).toBe(0);
  const began = shown.filter((line) => / is domain /.test(line)).length;
  expect(shown.filter((line) => /^\[\d+\] soon (exited|was)/.test(line)).length).toBe(began);
}

describe('the ends of programs', () => {
  it(`are all noticed, each with its own value (seed ${SEED})`, () => {
    const property = fc.property(fc.nat(), starts(false), fc.boolean(), (seed, list, joins) => {
      const { twin, shown } = run(seed, list, joins);
      expectAllTold(twin, shown);
      const background = list.filter(({ isBackground }) => isBackground);
      const told = shown.flatMap((line) => /exited with (\d+)/.exec(line)?.[1] ?? []);
      expect(told.toSorted()).toEqual(background.map(({ value }) => String(value)).toSorted());
      const statuses = shown.filter((line) => /^\d+:\d+$/.test(line));
      const expected = list.flatMap(({ isBackground, value }, i) => {
        return isBackground ? [] : [`${i}:${value}`];
      });
      expect(statuses).toEqual(expected);
    });
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  it(`are all noticed when Ctrl-C is pressed at any time (seed ${SEED})`, () => {
    const property = fc.property(fc.nat(), starts(true), (seed, list) => {
      const { twin, shown } = run(seed, list, false);
      expectAllTold(twin, shown);
      for (const { state, name } of twin.domains) {
        expect(state).toBe(name === 'soon' ? 'ended' : 'running');
      }
      const [last] = twin.type('soon 3 7; echo $?');
      expect(last).toBe('7');
    });
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });
});

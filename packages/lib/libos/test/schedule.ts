/** Random schedules: a domain that loses the core wherever a list of decisions says so. */

import fc from 'fast-check';
import { expect } from 'vitest';
import type { Os, Wait } from '../src/os.ts';
import { Domain } from './domain.ts';

/** For every point of pre-emption whether the core is taken away there; then it no longer is. */
export const schedules = fc.array(fc.boolean(), { maxLength: 200 });

/** Run `main` under a schedule until nothing is left to do. No thread may die. */
export function runUnder(
  schedule: readonly boolean[],
  main: (os: Os, domain: Domain) => Wait<unknown>,
): Domain {
  const domain = new Domain(main);
  let point = 0;
  domain.cpu.onPoll = () => {
    point += 1;
    if (schedule[point - 1] === true) domain.preempt();
  };
  domain.run();
  expect(domain.deaths).toEqual([]);
  return domain;
}

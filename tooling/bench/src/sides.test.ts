import { expect, it } from 'vitest';
import { ROUND_MS } from './measure.ts';
import { allocating, timing } from './sides.ts';

it('timing leaves out what comes before and after the call', () => {
  let time = 0;
  const steps: string[] = [];
  const step = (name: string, milliseconds: number) => () => {
    steps.push(name);
    time += milliseconds;
  };
  const before = step('before', 5);
  const call = step('call', 2);
  const after = step('after', 7);
  const { round } = timing({ before, call, after }, 1000, () => time);
  expect(round()).toBe(2000);
  expect(steps.join(' ')).toBe(
    Array(ROUND_MS / 2)
      .fill('before call after')
      .join(' '),
  );
});

it('allocating counts what nobody keeps', async () => {
  const last: { object: object } = { object: {} };
  const call = (): void => {
    for (let i = 0; i < 1000; i++) last.object = { i };
  };
  const bytes = await allocating({ call, operations: 1000, times: 1000 }).round();
  expect(bytes).toBeGreaterThan(10);
  expect(bytes).toBeLessThan(200);
});

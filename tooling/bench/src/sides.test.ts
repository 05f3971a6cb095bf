import { expect, it } from 'vitest';
import { allocating, timing } from './sides.ts';

it('timing leaves out what comes before and after the call', async () => {
  const wait = (milliseconds: number) => () => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  };
  const { round } = timing({ before: wait(5), call: wait(2), after: wait(5) }, 1000);
  const ns = await round();
  expect(ns).toBeGreaterThanOrEqual(2000);
  expect(ns).toBeLessThan(10_000); // on a busy machine, too
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

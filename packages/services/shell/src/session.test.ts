/** What a shell remembers. */

import { expect, it } from 'vitest';
import { Session } from './session.ts';

it('knows the variables of its environment, and the status', () => {
  const session = new Session([['fish', 'barreleye']]);
  session.status = 3;
  expect(['fish', '?', 'none'].map((name) => session.lookup(name))).toEqual([
    'barreleye',
    '3',
    undefined,
  ]);
});

it('remembers the last 500 lines by their numbers', () => {
  const session = new Session([]);
  for (let i = 1; i <= 501; i++) session.remember(`echo ${i}`);
  session.remember('  ');
  const history = session.history();
  expect(history.length).toBe(500);
  expect(history[0]).toEqual([2, 'echo 2']);
  expect(history.at(-1)).toEqual([501, 'echo 501']);
});

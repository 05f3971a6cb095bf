import { expect, it } from 'vitest';
import { Access } from './paging.ts';

it('says what an access is in two bits, and who makes it in a third', () => {
  const { User, ...kinds } = Access;
  expect(Object.values(kinds)).toEqual([0, 1, 2]);
  for (const kind of Object.values(kinds)) expect(kind & User).toBe(0);
  expect(User).toBe(4);
});

import { checkMdb } from '@barreleye/caps';
import { describe, expect, test } from 'vitest';
import { TARGETS } from './bench.ts';
import { User } from './user.ts';

describe.each(TARGETS)('$name', (target) => {
  test('smoke', () => {
    const user = new User(target);
    expect(user.call(5)).toEqual({ names: [], value: 0 });
    expect(checkMdb(user.bench.kernel.caps)).toEqual([]);
  });
});

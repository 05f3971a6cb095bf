import { expect, it } from 'vitest';
import { checkMdb } from '../src/index.ts';
import { expectOk, ObjType, PAGE, World } from './world.ts';

it('smoke', () => {
  const w = new World();
  expect(checkMdb(w.caps)).toEqual([]);
  expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE, count: 3 }));
  expect(w.dump()).toEqual([]);
});

/** Memory is the state: another `Caps` over the same memory goes on where the first one was. */

import { Prng } from '@barreleye/core';
import { ObjType } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { applyDelete, Caps, checkCaps, isSweepPending, sweepStep } from '../src/index.ts';
import { expectOk, KIB, PAGE, World } from './world.ts';

/** A history with a sweep under way in it; `next` gives the system for every single call. */
function runHistory(w: World, next: () => Caps): string[] {
  const prng = new Prng(7);
  const call = <T>(f: (caps: Caps) => T): T => {
    Object.assign(w, { caps: next() });
    return f(w.caps);
  };
  for (let i = 0; i < 60; i++) {
    const target = w.at(1, 1 + i);
    const bytes = PAGE * (1 + prng.below(4));
    call(() => w.retype(w.ram, ObjType.Frame, target, { offset: PAGE * prng.below(400), bytes }));
    if (i % 3 === 0) call(() => w.copy(w.at(1, 1 + prng.below(i + 1)), w.at(2, i)));
    if (i % 4 === 0) call(() => w.delete(w.at(1, 1 + prng.below(i + 1))));
  }
  const cnode = { offset: 1664 * KIB, bytes: 16 * KIB };
  call(() => expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(3, 0), cnode)));
  for (let i = 0; i < 200; i++) call(() => w.copyInto(w.at(1, 1 + (i % 60)), w.at(3, 0), i));
  call((caps) => applyDelete(caps, w.ram));
  call((caps) => applyDelete(caps, w.at(3, 0)));
  for (let i = 1; i < 60; i += 2) {
    if (!w.isEmpty(w.at(1, i))) call((caps) => applyDelete(caps, w.at(1, i)));
  }
  while (call(isSweepPending)) {
    call(sweepStep);
    expect(checkCaps(w.caps)).toEqual([]);
  }
  return w.dump();
}

describe('a second object over the same memory', () => {
  it('goes on after any call as if it had always been there', () => {
    const one = new World();
    const first = runHistory(one, () => one.caps);
    const many = new World();
    const { hooks } = many.caps;
    const second = runHistory(many, () => new Caps(many.mem, many.caps.kcb, hooks));
    expect(second).toEqual(first);
    expect(many.log).toEqual(one.log);
    expect(Buffer.compare(many.snapshot(), one.snapshot())).toBe(0);
    expect(first.length).toBeGreaterThan(10);
  });
});

/** Service references: who has which, and that none comes twice. */

import { capref } from '@barreleye/libos';
import { irefCore } from '@barreleye/program';
import { Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Exports, MAX_EXPORTS_PER_OWNER } from './exports.ts';

const CORE = 5;
const endpoint = (slot: number) => capref<'EndPointLMP'>(slot, 2);

function must(result: ReturnType<Exports<object>['add']>): number {
  if (!result.ok) throw new Error('refused');
  return result.value;
}

describe('the services of a core', () => {
  it('have references of that core, each once', () => {
    const exports = new Exports<object>(CORE);
    const [ann, bob] = [{}, {}];
    const irefs: number[] = [];
    for (let i = 0; i < 3 * MAX_EXPORTS_PER_OWNER; i++) {
      const iref = must(exports.add(i % 2 === 0 ? ann : bob, endpoint(i)));
      irefs.push(iref);
      if (i % 3 > 0) exports.remove(i % 2 === 0 ? ann : bob, iref);
    }
    expect(new Set(irefs).size).toBe(irefs.length);
    expect(irefs.map(irefCore)).toEqual(irefs.map(() => CORE));
    expect(exports.find(irefs[0] ?? 0)).toMatchObject({ ok: true, value: { owner: ann } });
    expect(exports.find(irefs[1] ?? 0)).toEqual({ ok: false, err: Err.MON_ERR_NO_SERVICE });
  });

  it('have none that was given out before the core was started anew', () => {
    const before = new Exports<object>(CORE);
    const old = [1, 2, 3].map((slot) => must(before.add({}, endpoint(slot))));
    const after = new Exports<object>(CORE, before.lastIndex);
    expect(old).not.toContain(must(after.add({}, endpoint(1))));
  });

  it('are not those of another core', () => {
    const iref = must(new Exports<object>(CORE + 1).add({}, endpoint(1)));
    const exports = new Exports<object>(CORE);
    must(exports.add({}, endpoint(1)));
    expect(exports.find(iref)).toEqual({ ok: false, err: Err.MON_ERR_OTHER_CORE });
    for (const nonsense of [0, 1, 2 ** 32 - 1]) expect(exports.find(nonsense).ok).toBe(false);
  });

  it('are withdrawn by their owners only', () => {
    const exports = new Exports<object>(CORE);
    const ann = {};
    const iref = must(exports.add(ann, endpoint(3)));
    expect(exports.remove({}, iref)).toEqual({ ok: false, err: Err.MON_ERR_NO_SERVICE });
    expect(exports.remove(ann, iref)).toEqual({ ok: true, value: endpoint(3) });
    expect(exports.remove(ann, iref)).toEqual({ ok: false, err: Err.MON_ERR_NO_SERVICE });
  });

  it('end with their owner, who can have so many at a time', () => {
    const exports = new Exports<object>(CORE);
    const [ann, bob] = [{}, {}];
    const kept = must(exports.add(bob, endpoint(999)));
    for (let i = 0; i < MAX_EXPORTS_PER_OWNER; i++) must(exports.add(ann, endpoint(i)));
    const more = exports.add(ann, endpoint(100));
    expect(more).toEqual({ ok: false, err: Err.MON_ERR_TOO_MANY });
    expect(exports.removeAll(ann)).toHaveLength(MAX_EXPORTS_PER_OWNER);
    expect(exports.removeAll(ann)).toEqual([]);
    expect(exports.find(kept).ok).toBe(true);
    expect(exports.add(ann, endpoint(1)).ok).toBe(true);
  });
});

/**
 * A CSpace that grows while it is used: 262,144 slots, a copy of a capability in every 256th. The
 * root CNode doubles on the way, and every reference stays valid.
 */

import { errPop, fail, OK, type Result } from '@barreleye/core';
import {
  type Capref,
  capCopy,
  capDelete,
  capIdentify,
  capRetype,
  capref,
  type Os,
  program,
  type RamBlock,
  type RamSource,
  SlotSupply,
  TASK_DISPATCHER_FRAME,
  TASK_ROOT_CN,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { Err, L1_CNODE_GRANULE, RootSlot } from '@barreleye/spec';
import { expect, test } from 'vitest';
import { boot, TARGETS, withProgram } from '../src/index.ts';

const SLOT_COUNT = 4 * 256 * 256;
const COPY_EVERY = 256;
const RAM_BYTES = 64 * 2 ** 20;

/** RAM from the start of init's region upwards; what is freed is not used again. */
function bumpSource({ sys, slots }: Os): RamSource {
  const region = capref<'RAM'>(RootSlot.SuperCn, 0);
  const { base, bytes } = unwrap(capIdentify(sys, region));
  let next = base;
  return {
    alloc(wanted, alignBytes): Result<RamBlock> {
      const at = Math.ceil(next / alignBytes) * alignBytes;
      if (at + wanted > base + bytes) return fail(Err.MM_ERR_NOT_FOUND);
      const slot = slots.alloc();
      if (!slot.ok) return slot;
      const range = { offset: at - base, objectBytes: wanted, count: 1 };
      const made = capRetype(sys, slot.value, region, 'RAM', range);
      if (!made.ok) return fail(errPop(made.err));
      next = at + wanted;
      return { ok: true, value: { cap: made.value, base: at, bytes: wanted } };
    },
    free({ cap }) {
      const err = capDelete(sys, cap);
      return err === OK ? slots.free(cap) : err;
    },
  };
}

/** Take `SLOT_COUNT` slots; the copies that were made on the way. */
function* fillSlots(os: Os): Wait<Capref<'Frame'>[]> {
  const { sys, slots } = os;
  const copies: Capref<'Frame'>[] = [];
  const supply = new SlotSupply(sys, slots, bumpSource(os), L1_CNODE_GRANULE);
  slots.refill = () => supply.grow();
  for (let i = 0; i < SLOT_COUNT; i++) {
    const slot = os.allocSlot();
    if (i % COPY_EVERY === 0) copies.push(unwrap(capCopy(sys, slot, TASK_DISPATCHER_FRAME)));
    yield* os.preempt();
  }
  return copies;
}

test.each(TARGETS)('$name: 262,144 slots do not run out', (target) => {
  let copyCount = 0;
  let rootBytes = 0;
  const grower = program('grower', function* (os) {
    const copies = yield* fillSlots(os);
    const frame = unwrap(capIdentify(os.sys, TASK_DISPATCHER_FRAME));
    for (const copy of copies) expect(unwrap(capIdentify(os.sys, copy))).toEqual(frame);
    copyCount = copies.length;
    rootBytes = unwrap(capIdentify(os.sys, TASK_ROOT_CN)).bytes;
  });
  const { machine } = boot(withProgram(target, grower), { ramBytes: RAM_BYTES });
  expect(machine.run(1e9).kind).toBe('idle');
  expect(machine.programFailures).toEqual([]);
  expect(copyCount).toBe(SLOT_COUNT / COPY_EVERY);
  expect(rootBytes).toBeGreaterThan(2 * L1_CNODE_GRANULE);
});

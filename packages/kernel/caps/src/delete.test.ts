import { asPaddr, asPtr, coreId } from '@barreleye/core';
import { Cte, CteFlag, Dcb, Err, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, expectRefused, KIB, PAGE, RAM_BASE, ramAt, World } from '../test/world.ts';
import { checkCaps } from './check.ts';
import { copyToSlot } from './copy.ts';
import { createCap } from './create.ts';
import { slotAt } from './cspace.ts';
import { moveToSlot } from './cte.ts';
import { applyDelete } from './delete.ts';
import { revoke } from './revoke.ts';
import type { Slot } from './slot.ts';
import { clearStep, deleteStep, isSweepPending, sweepStep } from './sweep.ts';

const L2 = { bytes: 16 * KIB };

/** The `index`-th slot of the CNode in `cnode`. */
function inside(w: World, cnode: Slot, index: number): Slot {
  return slotAt(w.mem, cnode, index);
}

/** Sweep step by step and check all invariants after every step; the number of steps. */
function sweepChecked(w: World): number {
  let steps = 0;
  for (; isSweepPending(w.caps); steps++) {
    const err = sweepStep(w.caps);
    // A container may have to wait for another one to leave it.
    if (err !== Err.SYS_ERR_CAP_LOCKED) expectOk(w, err);
    expect(checkCaps(w.caps)).toEqual([]);
    expect(steps).toBeLessThan(10_000);
  }
  return steps;
}

describe('delete', () => {
  it('of one of several copies touches nothing else', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE }));
    expectOk(w, w.copy(w.at(1, 1), w.at(1, 2)));
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.isEmpty(w.at(1, 1))).toBe(true);
    expect(w.show(w.at(1, 2))).toBe('Frame 0x200000 (4 KiB) rwxgiv');
    expect(w.log).toEqual([]);
  });

  it('of a child makes its range free for another one', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE }));
    expectOk(w, w.delete(w.at(1, 1)));
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, 1), L2));
    expect(w.log, 'the holder of the RAM knows').toEqual([]);
  });

  it('needs something to delete, and nobody else at work on it', () => {
    const w = new World();
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () => w.delete(w.at(3, 3)));
    Cte.flags.set(w.mem, w.ram, CteFlag.Locked);
    const locked = ['SYS_ERR_RETRY_THROUGH_MONITOR', 'SYS_ERR_CAP_LOCKED'] as const;
    expectRefused(w, locked, () => w.delete(w.ram));
    Cte.flags.set(w.mem, w.ram, CteFlag.InDelete);
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], () => w.delete(w.ram));
  });

  it('leaves the last owned copy of what other cores hold to the monitor', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.ram, CteFlag.RemoteCopies);
    const names = ['SYS_ERR_RETRY_THROUGH_MONITOR', 'SYS_ERR_DELETE_LAST_OWNED'] as const;
    expectRefused(w, names, () => w.delete(w.ram));
    expectOk(w, w.copy(w.ram, w.at(1, 1)));
    expectOk(w, w.delete(w.ram));
    expectRefused(w, names, () => w.delete(w.at(1, 1)));
  });

  it('of a foreign copy tells the nearest ancestor that relatives live elsewhere', () => {
    const w = new World();
    expectOk(w, w.copy(w.ram, w.at(2, 0)));
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE }));
    Cte.owner.set(w.mem, w.at(1, 1), coreId(4));
    Cte.flags.set(w.mem, w.at(1, 1), CteFlag.RemoteCopies);
    expectOk(w, w.delete(w.at(1, 1)));
    for (const ancestor of [w.ram, w.at(2, 0)]) {
      expect(Cte.flags.get(w.mem, ancestor), 'all copies agree (I29)').toBe(
        CteFlag.RemoteDescendants,
      );
    }
    expect(w.log).toEqual([]);
  });

  it('of what nobody owns needs no monitor, whoever else has it', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.IO, { arg0: 0, arg1: 9 });
    Cte.flags.set(w.mem, w.at(2, 0), CteFlag.RemoteCopies);
    expectOk(w, w.delete(w.at(2, 0)));
  });

  it('never takes the block that this kernel lives in', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.KernelControlBlock, { base: w.caps.kcb });
    const names = ['SYS_ERR_RETRY_THROUGH_MONITOR', 'SYS_ERR_CAP_LOCKED'] as const;
    expectRefused(w, names, () => w.delete(w.at(2, 0)));
  });
});

describe('memory', () => {
  it('returns once, with the last capability that covers it (I21)', () => {
    const w = new World();
    expectOk(w, w.copy(w.ram, w.at(1, 1)));
    expectOk(w, w.delete(w.ram));
    expect(w.log).toEqual([]);
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.log).toEqual(['free +0K 2048K']);
  });

  it('returns in the pieces that are left when the ancestor goes first', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { bytes: 1024 * KIB, count: 2 }));
    expectOk(w, w.delete(w.ram));
    expect(w.log).toEqual([]);
    expectOk(w, w.delete(w.at(1, 2)));
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.log).toEqual(['free +1024K 1024K', 'free +0K 1024K']);
  });

  it('T20: the gaps between children return with the ancestor', () => {
    const w = new World();
    const make = (slot: number, offset: number) =>
      expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, slot), { offset, bytes: 8 * KIB }));
    make(1, 16 * KIB);
    make(2, 64 * KIB);
    make(3, 72 * KIB);
    expectOk(w, w.retype(w.at(1, 1), ObjType.Frame, w.at(1, 4), { bytes: PAGE }));
    expectOk(w, w.delete(w.ram));
    expect(w.log).toEqual(['free +0K 16K', 'free +24K 40K', 'free +80K 1968K']);
    w.log.length = 0;
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.log).toEqual(['free +20K 4K']);
    for (const slot of [2, 3, 4]) expectOk(w, w.delete(w.at(1, slot)));
    expect(w.log.slice(1)).toEqual(['free +64K 8K', 'free +72K 8K', 'free +16K 4K']);
  });

  it('T20: objects smaller than a page return it together', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { bytes: 2 * PAGE }));
    expectOk(w, w.retype(w.at(1, 1), ObjType.VNode_ARM_l2, w.at(1, 2), { offset: KIB, count: 2 }));
    expectOk(w, w.delete(w.ram));
    w.log.length = 0;
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.log).toEqual(['free +4K 4K']);
    expectOk(w, w.delete(w.at(1, 2)));
    expect(w.log.slice(1)).toEqual(['VNode_ARM_l2 +1K died']);
    expectOk(w, w.delete(w.at(1, 3)));
    expect(w.log.slice(2)).toEqual(['VNode_ARM_l2 +2K died', 'free +0K 4K']);
  });

  it('T20: a page returns also when it is shared with a region that is half given back', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.VNode_ARM_l2, w.at(1, 1), { offset: KIB }));
    for (let i = 0; i < 100; i++) {
      const options = { offset: (2 + 2 * i) * PAGE, bytes: PAGE };
      expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(2, i), options));
    }
    applyDelete(w.caps, w.ram);
    expectOk(w, deleteStep(w.caps));
    w.log.length = 0;
    expectOk(w, w.deleteUnswept(w.at(1, 1)));
    expect(w.log).toEqual(['VNode_ARM_l2 +1K died', 'free +0K 4K']);
    sweepChecked(w);
    expect(w.log.filter((line) => line.startsWith('free +0K'))).toHaveLength(1);
  });

  it('T20: a mapped frame returns like any other', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { offset: PAGE, bytes: PAGE }));
    expectOk(w, w.retype(w.ram, ObjType.VNode_x86_64_ptable, w.at(1, 2)));
    expectOk(w, w.retype(w.at(1, 1), ObjType.Frame, w.at(1, 3), { bytes: PAGE }));
    w.map(w.at(1, 3), w.at(1, 2), w.at(1, 4), 5);
    expectOk(w, w.delete(w.ram));
    expectOk(w, w.delete(w.at(1, 1)));
    w.log.length = 0;
    expectOk(w, w.delete(w.at(1, 3)));
    expect(w.log).toEqual(['unmap +0K [5..5]', 'free +4K 4K']);
  });

  it('T49: does not return while other cores may hold relatives', () => {
    for (const flag of [CteFlag.RemoteDescendants, CteFlag.RemoteAncestors]) {
      const w = new World();
      Cte.flags.set(w.mem, w.ram, flag);
      expectOk(w, w.delete(w.ram));
      expect(w.log).toEqual([]);
    }
  });

  it('of another core, of devices and of unknown kind does not return (I22)', () => {
    const w = new World();
    const far = { base: asPaddr(2 ** 32), bytes: PAGE };
    createCap(w.caps, w.at(2, 0), ObjType.PhysAddr, far);
    expectOk(w, w.retype(w.at(2, 0), ObjType.DevFrame, w.at(2, 1), { bytes: PAGE }));
    createCap(w.caps, w.at(2, 2), ObjType.RAM, {
      ...far,
      base: asPaddr(2 ** 33),
      owner: coreId(1),
    });
    for (const i of [0, 1, 2]) expectOk(w, w.delete(w.at(2, i)));
    expect(w.log).toEqual([]);
  });

  it('of a large region with many children returns in bounded steps (I39)', () => {
    const w = new World();
    for (let i = 0; i < 200; i++) {
      const options = { offset: 2 * i * PAGE, bytes: PAGE };
      expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(2, i), options));
    }
    applyDelete(w.caps, w.ram);
    expect(w.log).toEqual([]);
    expectOk(w, deleteStep(w.caps));
    expect(w.log).toHaveLength(63);
    // Children on both sides of the point that the sweep has reached.
    expectOk(w, w.deleteUnswept(w.at(2, 10)));
    expect(w.log.slice(63), 'passed: it returns by itself').toEqual(['free +80K 4K']);
    expectOk(w, w.deleteUnswept(w.at(2, 150)));
    expect(w.log.slice(64), 'not passed: the sweep returns it').toEqual([]);
    expect(sweepChecked(w)).toBeGreaterThan(2);
    expect(w.log).toContain('free +1196K 12K');
    const freed = w.log.map((line) => Number(/ (\d+)K$/.exec(line)?.[1]));
    expect(freed.reduce((a, b) => a + b)).toBe(2048 - 198 * 4);
  });
});

describe('a CNode', () => {
  it('takes what it holds along, also CNodes in CNodes (I37)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, 1), { ...L2, count: 2 }));
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 3), { offset: 64 * KIB, bytes: PAGE }));
    copyToSlot(w.caps, w.at(1, 3), inside(w, w.at(1, 1), 0));
    copyToSlot(w.caps, w.at(1, 3), inside(w, w.at(1, 2), 255));
    copyToSlot(w.caps, w.at(1, 2), inside(w, w.at(1, 1), 9));
    expectOk(w, w.delete(w.at(1, 2)));
    expectOk(w, w.delete(w.ram));
    w.log.length = 0;
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.log.toSorted()).toEqual(['free +0K 16K', 'free +16K 16K']);
    expect(w.dump()).toEqual(['Frame +64K 4K']);
  });

  it('leaves its slot at the first step and its memory at the last (I38)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, 1), L2));
    copyToSlot(w.caps, w.ram, inside(w, w.at(1, 1), 100));
    applyDelete(w.caps, w.at(1, 1));
    expect(w.show(w.at(1, 1))).toBe('L2CNode 0x200000 (16 KiB) rwxgiv dying');
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], () => w.delete(w.at(1, 1)));
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () => clearStep(w.caps));
    expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], () =>
      w.retype(w.ram, ObjType.Frame, w.at(1, 2), { bytes: PAGE }),
    );
    expectOk(w, deleteStep(w.caps));
    expect(w.isEmpty(w.at(1, 1))).toBe(true);
    expectOk(w, deleteStep(w.caps));
    expectOk(w, deleteStep(w.caps));
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () => deleteStep(w.caps));
    expectOk(w, clearStep(w.caps));
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () => clearStep(w.caps));
    expect(w.mem.isZero(ramAt(0), 16 * KIB)).toBe(true);
  });

  it('of many slots is swept in bounded steps (I39)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.L1CNode, w.at(1, 1), { bytes: 256 * KIB }));
    for (let i = 0; i < 4096; i += 7) copyToSlot(w.caps, w.rootSlot(1), inside(w, w.at(1, 1), i));
    applyDelete(w.caps, w.at(1, 1));
    expect(sweepChecked(w), 'burial, slots, end, memory').toBe(1 + 16 + 1 + 1);
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('may hold itself: a circle of CNodes goes as a whole', () => {
    // Every CNode holds the only capability of the next one, in every position of slots.
    for (const [slotOfNext, length] of [
      [0, 1],
      [0, 2],
      [0, 5],
      [3, 1],
      [3, 4],
    ] as const) {
      const w = new World();
      expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, 1), { ...L2, count: length }));
      const nodes = Array.from({ length }, (_, i) => w.at(1, 1 + i));
      for (const [i, node] of nodes.entries()) {
        const next = nodes[(i + 1) % length] as Slot;
        copyToSlot(w.caps, next, inside(w, node, slotOfNext));
        copyToSlot(w.caps, w.ram, inside(w, node, 7));
      }
      // The circle is closed as soon as the outer capabilities are gone; delete from within.
      const last = inside(w, nodes[0] as Slot, slotOfNext);
      for (const node of nodes) expectOk(w, w.delete(node));
      applyDelete(w.caps, last);
      sweepChecked(w);
      expect(w.dump()).toEqual(['RAM +0K 2048K']);
      expect(w.mem.isZero(ramAt(0), length * 16 * KIB)).toBe(true);
    }
  });

  it('in the first slot of another one, many times over, is taken apart step by step', () => {
    const w = new World();
    const depth = 30;
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, 1), { ...L2, count: depth }));
    const nodes = Array.from({ length: depth }, (_, i) => w.at(1, 1 + i));
    for (let i = 1; i < depth; i++) {
      const outer = nodes[i - 1] as Slot;
      copyToSlot(w.caps, nodes[i] as Slot, inside(w, outer, 0));
      copyToSlot(w.caps, w.ram, inside(w, nodes[i] as Slot, 200));
    }
    for (let i = 1; i < depth; i++) expectOk(w, w.delete(nodes[i] as Slot));
    applyDelete(w.caps, nodes[0] as Slot);
    expect(sweepChecked(w)).toBeLessThan(5 * depth);
    expect(w.isEmpty(nodes[0] as Slot)).toBe(true);
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('cannot be looked into or filled any more once it is dying', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.rootSlot(9), L2));
    applyDelete(w.caps, w.rootSlot(9));
    expectRefused(w, ['SYS_ERR_CNODE_NOT_FOUND'], () => w.copyInto(w.ram, w.rootSlot(9), 3));
    sweepChecked(w);
    expect(w.isEmpty(w.rootSlot(9))).toBe(true);
  });

  it('T21, T28: that holds what other cores share waits for the monitor', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, 1), L2));
    const shared = inside(w, w.at(1, 1), 5);
    const frame = { offset: 64 * KIB, bytes: PAGE };
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 2), frame));
    copyToSlot(w.caps, w.at(1, 2), shared);
    expectOk(w, w.delete(w.at(1, 2)));
    Cte.flags.set(w.mem, shared, CteFlag.RemoteCopies);
    expect(w.delete(w.at(1, 1))).not.toBe(0);
    expect(isSweepPending(w.caps)).toBe(true);
    expect(w.show(shared)).toBe('Frame 0x210000 (4 KiB) rwxgiv dying');
    expect(checkCaps(w.caps)).toEqual([]);
    Cte.flags.set(w.mem, shared, CteFlag.InDelete); // the monitor has deleted the foreign copies
    sweepChecked(w);
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('of another core loses its capability here, but keeps what it holds', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.L2CNode, {
      base: asPaddr(RAM_BASE - 16 * KIB),
      owner: coreId(1),
    });
    const word = ramAt(-16 * KIB);
    w.mem.store32(word, 0x1234_5678);
    expectOk(w, w.copy(w.at(2, 0), w.at(2, 1)));
    expectOk(w, w.delete(w.at(2, 0)));
    // Also when it had to wait on the delete list.
    Cte.flags.set(w.mem, w.at(2, 1), CteFlag.Locked);
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, 1), L2));
    const held = inside(w, w.at(1, 1), 9);
    moveToSlot(w.caps, w.at(2, 1), held);
    expect(w.delete(w.at(1, 1))).toBe(Err.SYS_ERR_CAP_LOCKED);
    Cte.flags.set(w.mem, held, CteFlag.InDelete);
    sweepChecked(w);
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
    expect(w.mem.load32(word)).toBe(0x1234_5678);
  });
});

describe('a dispatcher', () => {
  /** A dispatcher in (1, 1) with CSpace, VSpace and frame, and endpoints in (1, 5) and (2, 5). */
  function createDispatcher(w: World): void {
    const dcb = asPtr<'Dcb'>(ramAt(0));
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(1, 1)));
    const frame = { offset: 512 * KIB, bytes: 512 * KIB };
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 2), frame));
    expectOk(w, w.retype(w.ram, ObjType.VNode_x86_64_pml4, w.at(1, 3), { offset: 4 * PAGE }));
    expectOk(
      w,
      w.retype(w.ram, ObjType.L1CNode, w.at(1, 4), { offset: 64 * KIB, bytes: 16 * KIB }),
    );
    copyToSlot(w.caps, w.at(1, 4), Dcb.cspace.at(dcb));
    copyToSlot(w.caps, w.at(1, 3), Dcb.vspace.at(dcb));
    copyToSlot(w.caps, w.at(1, 2), Dcb.frame.at(dcb));
    expectOk(w, w.retype(w.at(1, 1), ObjType.EndPointLMP, w.at(1, 5)));
    expectOk(w, w.mint(w.at(1, 5), w.at(2, 5), Rights.All, 0x1000, 32));
    expectOk(w, w.copy(w.at(2, 5), w.at(2, 6)));
  }

  it('T15: takes its endpoints along, wherever they are', () => {
    const w = new World();
    createDispatcher(w);
    w.log.length = 0;
    expectOk(w, w.delete(w.at(1, 1)));
    for (const slot of [w.at(1, 5), w.at(2, 5), w.at(2, 6)]) expect(w.isEmpty(slot)).toBe(true);
    expect(w.log).toEqual(['dispatcher +0K died']);
    expect(w.dump()).toEqual([
      'RAM +0K 2048K',
      'VNode_x86_64_pml4 +16K 4K',
      'L1CNode +64K 16K',
      'Frame +512K 512K',
    ]);
  });

  it('takes its CSpace, its VSpace and its frame along when nobody else has them', () => {
    const w = new World();
    createDispatcher(w);
    for (const i of [2, 3, 4]) expectOk(w, w.delete(w.at(1, i)));
    expectOk(w, w.delete(w.ram));
    w.log.length = 0;
    applyDelete(w.caps, w.at(1, 1));
    expect(w.log, 'it stops at once').toEqual(['dispatcher +0K died']);
    sweepChecked(w);
    expect(w.dump()).toEqual([]);
    expect(w.log.slice(1).toSorted()).toEqual([
      'VNode_x86_64_pml4 +16K died',
      'free +0K 4K',
      'free +16K 4K',
      'free +512K 512K',
      'free +64K 16K',
    ]);
  });

  it('T14: keeps the root of its VSpace alive as long as it lives', () => {
    const w = new World();
    createDispatcher(w);
    w.log.length = 0;
    expectOk(w, w.delete(w.at(1, 3)));
    expect(w.log).toEqual([]);
  });

  it('T14, T15: stops when it loses its CSpace, its VSpace or its frame, and lives on', () => {
    for (const [index, freed] of [
      [2, []],
      [3, ['VNode_x86_64_pml4 +16K died']],
      [4, []],
    ] as const) {
      const w = new World();
      createDispatcher(w);
      w.log.length = 0;
      const part = w.at(1, index);
      expectOk(w, revoke(w.caps, part));
      expect(w.log, 'revoked from its slot').toEqual(['dispatcher +0K was dismantled']);
      expectOk(w, w.delete(part));
      expect(w.log.slice(1)).toEqual(freed);
      expect(w.isEmpty(w.at(1, 1)) || w.isEmpty(w.at(2, 5))).toBe(false);
      expectOk(w, w.delete(w.at(1, 1)));
      expect(w.isEmpty(w.at(2, 5))).toBe(true);
    }
  });

  it('takes an endpoint along that somebody has locked', () => {
    const w = new World();
    createDispatcher(w);
    Cte.flags.set(w.mem, w.at(1, 5), CteFlag.Locked);
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.isEmpty(w.at(1, 5))).toBe(true);
  });

  it('T16: takes the endpoints along that the kernel holds', () => {
    const w = new World();
    createDispatcher(w);
    copyToSlot(w.caps, w.at(2, 5), w.kcbSlot('monitorEp'));
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.isEmpty(w.kcbSlot('monitorEp'))).toBe(true);
  });
});

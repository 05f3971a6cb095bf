import { type Errval, errPush, OK, paddr } from '@barreleye/core';
import { Err, errNames } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { errorOf, must, PAGE, RamKernel } from '../test/ram-kernel.ts';
import { checkMm } from './check-mm.ts';
import { createMm, type Mm, type MmOptions } from './mm.ts';

const BASE = 0x20_0000;

interface Setup {
  readonly kernel: RamKernel;
  readonly mm: Mm<number>;
}

function setUp(pageCount: number, options: Partial<MmOptions<number>> = {}): Setup {
  const kernel = new RamKernel(32);
  const mm = createMm<number>(Object.assign(kernel, options));
  expect(mm.add(kernel.boot(BASE, pageCount))).toBe(OK);
  return { kernel, mm };
}

/** Everything that a failing operation must leave alone. */
const stateOf = ({ kernel, mm }: Setup) => ({
  nodes: mm.nodes(),
  free: mm.freeBytes(),
  spareNodes: mm.store.spareNodes(),
  slots: kernel.freeSlotCount(),
});

function expectUnchanged(setup: Setup, operation: () => Errval): Errval {
  const before = stateOf(setup);
  const err = operation();
  expect(stateOf(setup)).toEqual(before);
  expect(checkMm(setup.mm)).toEqual([]);
  expect(setup.kernel.lostSlotCount()).toBe(0);
  return err;
}

describe('add', () => {
  it.each([
    ['no bytes', BASE, 0, Err.MM_ERR_INVALID_SIZE],
    ['fewer than none', BASE, -PAGE, Err.MM_ERR_INVALID_SIZE],
    ['half a page', BASE, PAGE / 2, Err.MM_ERR_INVALID_SIZE],
    ['what is not a number', BASE, Number.NaN, Err.MM_ERR_INVALID_SIZE],
    ['a region that begins inside a page', BASE + 1024, PAGE, Err.MM_ERR_INVALID_ALIGNMENT],
    ['more than there are addresses', BASE, 2 ** 52, Err.MM_ERR_OUT_OF_BOUNDS],
    ['what it has', BASE + PAGE, PAGE, Err.MM_ERR_ALREADY_PRESENT],
  ])('refuses %s', (_, base, bytes, err) => {
    const setup = setUp(4);
    const add = () => setup.mm.add({ cap: 77, base: paddr(base), bytes });
    expect(expectUnchanged(setup, add)).toBe(err);
    expect(setup.mm.regions()).toHaveLength(1);
  });

  it('reports that the nodes ran out', () => {
    const setup = setUp(4, { nodeLimit: 1 });
    const region = setup.kernel.boot(BASE + 0x10_0000, 4);
    expect(expectUnchanged(setup, () => setup.mm.add(region))).toBe(Err.MM_ERR_NEW_NODE);
    setup.mm.growNodes(1);
    expect(setup.mm.add(region)).toBe(OK);
    expect(setup.mm.totalBytes()).toBe(8 * PAGE);
  });
});

describe('alloc', () => {
  it('retypes at the offset from the base of the parent', () => {
    const { kernel, mm } = setUp(4);
    must(mm.alloc(PAGE));
    const block = must(mm.alloc(2 * PAGE));
    expect(block).toMatchObject({ base: BASE + PAGE, bytes: 2 * PAGE });
    expect(kernel.identify(block.cap)).toEqual({ base: BASE + PAGE, bytes: 2 * PAGE });
  });

  it('rounds sizes up to whole pages', () => {
    const { mm } = setUp(4);
    expect(must(mm.alloc(1)).bytes).toBe(PAGE);
    expect(must(mm.alloc(PAGE + 1)).bytes).toBe(2 * PAGE);
    expect(mm.freeBytes()).toBe(PAGE);
  });

  it.each([0, -1, 0.5, PAGE + 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'refuses a size of %d bytes',
    (bytes) => {
      const setup = setUp(4);
      const err = expectUnchanged(setup, () => errorOf(setup.mm.alloc(bytes)));
      expect(err).toBe(Err.MM_ERR_INVALID_SIZE);
    },
  );

  it.each([0, 1, 2048, 3 * PAGE, PAGE + 1, -PAGE, 2 ** 49 + 1, 2 ** 49 + PAGE, Number.NaN])(
    'refuses an alignment of %d bytes',
    (alignBytes) => {
      const setup = setUp(4);
      const err = expectUnchanged(setup, () => errorOf(setup.mm.alloc(PAGE, { alignBytes })));
      expect(err).toBe(Err.MM_ERR_INVALID_ALIGNMENT);
    },
  );

  it('takes any power of two as alignment', () => {
    const setup = setUp(4);
    for (let bits = 12; bits <= 52; bits++) {
      const err = errorOf(setup.mm.alloc(2 ** 40, { alignBytes: 2 ** bits }));
      expect(err).toBe(Err.MM_ERR_NOT_FOUND);
    }
  });

  it('tells a range where it has nothing free from one where it has nothing', () => {
    const setup = setUp(4);
    const from = BASE + 4 * PAGE;
    const inside = { from: from - 1, to: from + PAGE };
    const alloc = (place: { from?: number; to?: number }): Errval =>
      expectUnchanged(setup, () => errorOf(setup.mm.alloc(PAGE, place)));
    expect(alloc(inside)).toBe(Err.MM_ERR_NOT_FOUND);
    expect(alloc({ from })).toBe(Err.MM_ERR_OUT_OF_BOUNDS);
    expect(alloc({ from: BASE, to: BASE })).toBe(Err.MM_ERR_OUT_OF_BOUNDS);
    expect(alloc({ to: BASE })).toBe(Err.MM_ERR_OUT_OF_BOUNDS);
    expect(alloc({ from: Number.NaN })).toBe(Err.MM_ERR_OUT_OF_BOUNDS);
  });

  it('changes nothing when there is not so much', () => {
    const setup = setUp(4);
    const err = expectUnchanged(setup, () => errorOf(setup.mm.alloc(5 * PAGE)));
    expect(err).toBe(Err.MM_ERR_NOT_FOUND);
    expect(must(setup.mm.alloc(4 * PAGE)).base).toBe(BASE);
  });

  it('finds nothing as long as it has no memory', () => {
    const mm = createMm<number>(new RamKernel(1));
    expect(errorOf(mm.alloc(PAGE))).toBe(Err.MM_ERR_NOT_FOUND);
    expect(checkMm(mm)).toEqual([]);
  });

  it('reports that the nodes ran out', () => {
    const setup = setUp(4, { nodeLimit: 1 });
    const err = expectUnchanged(setup, () => errorOf(setup.mm.alloc(PAGE)));
    expect(err).toBe(Err.MM_ERR_NEW_NODE);
  });

  it('reports that the slots ran out', () => {
    const setup = setUp(4);
    while (setup.kernel.freeSlotCount() > 0) must(setup.kernel.allocSlot());
    const err = errorOf(setup.mm.alloc(PAGE));
    expect(errNames(err)).toEqual(['MM_ERR_SLOT_ALLOC', 'LIB_ERR_SLOT_ALLOC_NO_SPACE']);
    expect(setup.mm.nodes()).toHaveLength(1);
  });

  it('changes nothing when the retype fails', () => {
    const setup = setUp(9);
    must(setup.mm.alloc(PAGE, { from: BASE + 2 * PAGE }));
    setup.kernel.refuse.retype = Err.SYS_ERR_CAP_LOCKED;
    const alloc = () => errorOf(setup.mm.alloc(PAGE, { from: BASE + 5 * PAGE }));
    const err = expectUnchanged(setup, alloc);
    expect(err).toBe(errPush(Err.SYS_ERR_CAP_LOCKED, Err.MM_ERR_RETYPE));
  });

  it('fails while a capability survives over memory that was freed (trap T7)', () => {
    const setup = setUp(4);
    const block = must(setup.mm.alloc(4 * PAGE));
    const target = must(setup.kernel.allocSlot());
    const survivor = { source: block.cap, offsetBytes: PAGE, bytes: PAGE, target };
    expect(setup.kernel.retype(survivor)).toBe(OK);
    expect(setup.mm.free(block)).toBe(OK);
    const err = expectUnchanged(setup, () => errorOf(setup.mm.alloc(4 * PAGE)));
    expect(errNames(err)).toEqual(['MM_ERR_RETYPE', 'SYS_ERR_REVOKE_FIRST']);
    expect(setup.kernel.deleteCap(target)).toBe(OK);
    expect(must(setup.mm.alloc(4 * PAGE)).base).toBe(BASE);
  });
});

describe('free', () => {
  it('deletes the capability it is handed, and its slot is free again', () => {
    const { kernel, mm } = setUp(4);
    const block = must(mm.alloc(3 * PAGE));
    expect(mm.free(block)).toBe(OK);
    expect(kernel.identify(block.cap)).toBeUndefined();
    expect(kernel.freeSlotCount()).toBe(32);
    expect(mm.freeBytes()).toBe(4 * PAGE);
    expect(mm.nodes()).toHaveLength(1);
  });

  it('takes the size that was asked for as well as the size that was given', () => {
    const { mm } = setUp(4);
    const { cap, base } = must(mm.alloc(PAGE + 1));
    expect(mm.free({ cap, base, bytes: PAGE + 1 })).toBe(OK);
    expect(mm.freeBytes()).toBe(4 * PAGE);
  });

  it('keeps the capability of the parent for ever', () => {
    const { kernel, mm } = setUp(4);
    for (let i = 0; i < 50; i++) expect(mm.free(must(mm.alloc(4 * PAGE)))).toBe(OK);
    const [region] = mm.regions();
    expect(kernel.identify(region?.cap ?? -1)).toEqual({ base: BASE, bytes: 4 * PAGE });
  });

  it('refuses to free twice, and deletes nothing then', () => {
    const setup = setUp(4);
    const block = must(setup.mm.alloc(PAGE));
    expect(setup.mm.free(block)).toBe(OK);
    const again = must(setup.mm.alloc(PAGE, { from: BASE + PAGE }));
    const err = expectUnchanged(setup, () => setup.mm.free({ ...block, cap: again.cap }));
    expect(err).toBe(Err.MM_ERR_NOT_ALLOCATED);
    expect(setup.kernel.identify(again.cap)).toBeDefined();
  });

  it.each([
    ['memory that it never had', BASE - PAGE, PAGE, Err.MM_ERR_NOT_ALLOCATED],
    ['memory that is free', BASE + 2 * PAGE, PAGE, Err.MM_ERR_NOT_ALLOCATED],
    ['more than was allocated', BASE, 3 * PAGE, Err.MM_ERR_NOT_ALLOCATED],
    ['what does not begin at a page', BASE + 512, 512, Err.MM_ERR_NOT_ALLOCATED],
    ['no bytes', BASE, 0, Err.MM_ERR_INVALID_SIZE],
    ['half a byte', BASE, 0.5, Err.MM_ERR_INVALID_SIZE],
  ])('refuses %s', (_, base, bytes, err) => {
    const setup = setUp(4);
    const { cap } = must(setup.mm.alloc(2 * PAGE));
    const free = () => setup.mm.free({ cap, base: paddr(base), bytes });
    expect(expectUnchanged(setup, free)).toBe(err);
    expect(setup.kernel.identify(cap)).toBeDefined();
  });

  it('keeps the memory when the capability cannot be deleted', () => {
    const setup = setUp(4);
    const block = must(setup.mm.alloc(4 * PAGE));
    const [part] = setup.kernel.split(block, [PAGE, 3 * PAGE]);
    setup.kernel.refuse.delete = Err.SYS_ERR_CAP_LOCKED;
    const err = expectUnchanged(setup, () => setup.mm.free(part ?? block));
    expect(err).toBe(errPush(Err.SYS_ERR_CAP_LOCKED, Err.MM_ERR_DELETE));
    delete setup.kernel.refuse.delete;
    expect(setup.mm.free(part ?? block)).toBe(OK);
  });

  it('refuses a part, before it deletes anything, when the nodes ran out', () => {
    const setup = setUp(4, { nodeLimit: 2 });
    const block = must(setup.mm.alloc(4 * PAGE));
    const [, middle] = setup.kernel.split(block, [PAGE, PAGE, 2 * PAGE]);
    const part = middle ?? block;
    expect(expectUnchanged(setup, () => setup.mm.free(part))).toBe(Err.MM_ERR_NEW_NODE);
    expect(setup.kernel.identify(part.cap)).toBeDefined();
    setup.mm.growNodes(1);
    expect(setup.mm.free(part)).toBe(OK);
  });
});

describe('take and give', () => {
  it('are alloc and free without any capability', () => {
    const setup = setUp(4);
    const taken = must(setup.mm.take(PAGE + 1, { alignBytes: 2 * PAGE, from: BASE + PAGE }));
    expect(taken).toMatchObject({ base: BASE + 2 * PAGE, bytes: 2 * PAGE });
    expect(taken.parent).toEqual(setup.mm.regions()[0]);
    expect(setup.kernel.freeSlotCount()).toBe(32);
    expect(setup.mm.give(taken.base, PAGE + 1)).toBe(OK);
    expect(setup.mm.freeBytes()).toBe(4 * PAGE);
  });

  it('check what they are asked for', () => {
    const setup = setUp(4);
    const { mm } = setup;
    const fails = (operation: () => Errval) => expectUnchanged(setup, operation);
    expect(fails(() => errorOf(mm.take(0)))).toBe(Err.MM_ERR_INVALID_SIZE);
    expect(fails(() => errorOf(mm.take(PAGE, { alignBytes: 3 })))).toBe(
      Err.MM_ERR_INVALID_ALIGNMENT,
    );
    expect(fails(() => errorOf(mm.take(PAGE, { to: PAGE })))).toBe(Err.MM_ERR_OUT_OF_BOUNDS);
    expect(fails(() => mm.give(paddr(BASE), PAGE))).toBe(Err.MM_ERR_NOT_ALLOCATED);
    expect(fails(() => mm.give(paddr(BASE), 0))).toBe(Err.MM_ERR_INVALID_SIZE);
  });
});

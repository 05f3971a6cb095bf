import { type Errval, errPush, fail, isOk, KernelPanic, OK, type Result } from '@barreleye/core';
import { Err, errNames } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { checkMm, createMm, type Mm, type MmBlock, type MmOptions } from '../src/index.ts';
import { errorOf, must, PAGE, RamKernel } from './ram-kernel.ts';

const BASE = 0x100_0000;
const CNODE_PAGES = 4;
const CNODE_SLOTS = 16;

/** A kernel whose slots come in CNodes, and a CNode is made of RAM from the manager itself. */
class CNodeKernel extends RamKernel {
  readonly mm: Mm<number>;
  readonly cnodes: MmBlock<number>[] = [];
  refillCount = 0;
  /** Nodes that a refill brings along. */
  nodesPerRefill = 0;
  private refillDepth = 0;

  constructor(pageCount: number, options: Partial<MmOptions<number>> = {}, slotReserve = 2) {
    super(CNODE_SLOTS);
    this.mm = createMm<number>({
      retype: (request) => this.retype(request),
      deleteCap: (cap) => this.deleteCap(cap),
      allocSlot: () => this.allocSlot(),
      freeSlot: (slot) => this.freeSlot(slot),
      isLow: () => this.freeSlotCount() <= slotReserve,
      refill: () => this.refill(),
      ...options,
    });
    expect(this.mm.add(this.boot(BASE, pageCount))).toBe(OK);
  }

  refill(): Errval {
    this.refillCount += 1;
    this.refillDepth += 1;
    expect(this.refillDepth).toBe(1);
    this.mm.growNodes(this.nodesPerRefill);
    const cnode = this.mm.alloc(CNODE_PAGES * PAGE);
    if (cnode.ok) {
      this.cnodes.push(cnode.value);
      this.addSlots(CNODE_SLOTS);
    }
    this.refillDepth -= 1;
    return cnode.ok ? OK : cnode.err;
  }

  /** Allocate blocks of one page until that fails, and say why. */
  drain(): { blocks: MmBlock<number>[]; err: Errval } {
    const blocks: MmBlock<number>[] = [];
    for (;;) {
      const result = this.mm.alloc(PAGE);
      if (!result.ok) return { blocks, err: result.err };
      blocks.push(result.value);
      expect(this.freeSlotCount()).toBeGreaterThan(0);
    }
  }
}

function expectSound(kernel: RamKernel, mm: Mm<number>): void {
  expect(checkMm(mm)).toEqual([]);
  expect(kernel.lostSlotCount()).toBe(0);
}

describe('refill', () => {
  it('runs at the threshold, before an allocation, and may allocate itself (T1)', () => {
    const kernel = new CNodeKernel(256);
    const { blocks, err } = kernel.drain();
    expect(errNames(err)).toContain('MM_ERR_NOT_FOUND');
    expect(kernel.refillCount).toBeGreaterThan(10);
    expect(blocks.length + CNODE_PAGES * kernel.cnodes.length).toBeGreaterThan(256 - CNODE_PAGES);
    expectSound(kernel, kernel.mm);
  });

  it('survives exhaustion and freeing, again and again, without a leak (test 14)', () => {
    const kernel = new CNodeKernel(512, { nodeLimit: 64 });
    kernel.nodesPerRefill = CNODE_SLOTS + 2;
    const seen: number[] = [];
    for (let round = 0; round < 6; round++) {
      const { blocks } = kernel.drain();
      seen.push(blocks.length);
      blocks.sort((a, b) => (a.base % 7) - (b.base % 7));
      for (const block of blocks) expect(kernel.mm.free(block)).toBe(OK);
      const cnodeBytes = kernel.cnodes.length * CNODE_PAGES * PAGE;
      expect(kernel.mm.freeBytes()).toBe(kernel.mm.totalBytes() - cnodeBytes);
      expectSound(kernel, kernel.mm);
    }
    expect(new Set(seen.slice(1)).size).toBe(1);
  });

  it('may take the very memory that the allocation would have had', () => {
    const kernel = new CNodeKernel(16, {}, CNODE_SLOTS);
    const block = must(kernel.mm.alloc(PAGE));
    expect(kernel.cnodes.map(({ base }) => base)).toEqual([BASE]);
    expect(block.base).toBe(BASE + CNODE_PAGES * PAGE);
    expectSound(kernel, kernel.mm);
  });

  it('leaves the reserve alone when it fails, and is tried again next time', () => {
    const kernel = new CNodeKernel(35);
    const { blocks, err } = kernel.drain();
    expect(errNames(err)).toEqual(['MM_ERR_SLOT_ALLOC', 'MM_ERR_NOT_FOUND']);
    expect(kernel.freeSlotCount()).toBe(2);
    const tries = kernel.refillCount;
    expect(errorOf(kernel.mm.alloc(PAGE))).toBe(err);
    expect(kernel.refillCount).toBe(tries + 1);
    for (const block of blocks.splice(-CNODE_PAGES)) expect(kernel.mm.free(block)).toBe(OK);
    const others: number[] = [];
    while (kernel.freeSlotCount() > 2) others.push(must(kernel.allocSlot()));
    must(kernel.mm.alloc(PAGE));
    expect(kernel.refillCount).toBe(tries + 2);
    for (const slot of others) kernel.freeSlot(slot);
    expectSound(kernel, kernel.mm);
  });

  it('is guarded on every path: the guard is down again after an error and after a panic', () => {
    let calls = 0;
    const answers: (() => Errval)[] = [
      () => Err.LIB_ERR_NOT_IMPLEMENTED,
      () => {
        throw new KernelPanic('a bug in the refill');
      },
      () => OK,
    ];
    const kernel = new CNodeKernel(16, {
      isLow: () => true,
      refill: () => answers[calls++]?.() ?? OK,
    });
    const err = errorOf(kernel.mm.alloc(PAGE));
    expect(err).toBe(errPush(Err.LIB_ERR_NOT_IMPLEMENTED, Err.MM_ERR_SLOT_ALLOC));
    expect(() => kernel.mm.alloc(PAGE)).toThrow('a bug in the refill');
    must(kernel.mm.alloc(PAGE));
    expect(calls).toBe(3);
    expectSound(kernel, kernel.mm);
  });

  it('is not asked for while an operation is under way, whoever allocates (T3)', () => {
    let refillCount = 0;
    let isRetyping = false;
    const inner: Result<MmBlock<number>>[] = [];
    const kernel: CNodeKernel = new CNodeKernel(32, {
      isLow: () => true,
      refill: () => {
        refillCount += 1;
        for (let i = 0; i < 3; i++) inner.push(kernel.mm.alloc(PAGE));
        return OK;
      },
      retype: (request) => {
        if (isRetyping) return kernel.retype(request);
        isRetyping = true;
        inner.push(kernel.mm.alloc(PAGE));
        isRetyping = false;
        return kernel.retype(request);
      },
    });
    const block = must(kernel.mm.alloc(PAGE));
    expect(refillCount).toBe(1);
    const bases = [block, ...inner.map(must)].map(({ base }) => base);
    expect(new Set(bases).size).toBe(inner.length + 1);
    expectSound(kernel, kernel.mm);
  });
});

describe('the reserve of nodes', () => {
  const allocAt = (mm: Mm<number>, pageNumber: number): Result<MmBlock<number>> =>
    mm.alloc(PAGE, { from: BASE + pageNumber * PAGE });

  it('is kept for refills', () => {
    let refillCount = 0;
    const kernel: CNodeKernel = new CNodeKernel(64, {
      nodeLimit: 9,
      nodeReserve: 4,
      isLow: () => false,
      refill: () => {
        refillCount += 1;
        expect(kernel.mm.store.spareNodes()).toBeGreaterThanOrEqual(4);
        kernel.mm.growNodes(6);
        return OK;
      },
    });
    for (let i = 1; i < 14; i++) must(allocAt(kernel.mm, 3 * i));
    expect(refillCount).toBeGreaterThan(2);
    expectSound(kernel, kernel.mm);
  });

  it('is untouched when the refill fails; then nodes are what was missing', () => {
    const refuse = { nodeLimit: 9, nodeReserve: 4, refill: () => Err.LIB_ERR_RAM_ALLOC };
    const kernel = new CNodeKernel(64, { ...refuse, isLow: () => false });
    must(allocAt(kernel.mm, 3));
    must(allocAt(kernel.mm, 6));
    const err = errorOf(allocAt(kernel.mm, 9));
    expect(errorOf(allocAt(kernel.mm, 9))).toBe(err);
    expect(errNames(err)).toEqual(['MM_ERR_NEW_NODE', 'LIB_ERR_RAM_ALLOC']);
    expect(kernel.mm.store.spareNodes()).toBe(4);
    expectSound(kernel, kernel.mm);
  });

  it('is not for partial frees either, but whole blocks can always be freed', () => {
    let refillErr: Errval = Err.LIB_ERR_RAM_ALLOC;
    const kernel: CNodeKernel = new CNodeKernel(8, {
      nodeLimit: 3,
      nodeReserve: 4,
      isLow: () => false,
      refill: () => {
        if (isOk(refillErr)) kernel.mm.growNodes(8);
        return refillErr;
      },
    });
    const region = kernel.mm.regions()[0];
    const taken = must(kernel.mm.take(8 * PAGE));
    const target = must(kernel.allocSlot());
    const source = region?.cap ?? -1;
    expect(kernel.retype({ source, offsetBytes: 0, bytes: 8 * PAGE, target })).toBe(OK);
    const [part] = kernel.split({ cap: target, base: taken.base, bytes: taken.bytes }, [
      PAGE,
      7 * PAGE,
    ]);
    const block = part as MmBlock<number>;
    expect(errNames(kernel.mm.free(block))).toEqual(['MM_ERR_NEW_NODE', 'LIB_ERR_RAM_ALLOC']);
    expect(kernel.identify(block.cap)).toBeDefined();
    refillErr = OK;
    expect(kernel.mm.free(block)).toBe(OK);
    refillErr = Err.LIB_ERR_RAM_ALLOC;
    expectSound(kernel, kernel.mm);
  });
});

describe('re-entry', () => {
  it('believes nothing from before a refill (T1): here it frees the very part', () => {
    const kernel: CNodeKernel = new CNodeKernel(8, {
      nodeLimit: 4,
      refill: () => {
        kernel.mm.growNodes(8);
        return kernel.mm.free(part);
      },
    });
    const whole = must(kernel.mm.take(8 * PAGE));
    const source = kernel.mm.regions()[0]?.cap ?? -1;
    const target = must(kernel.allocSlot());
    expect(kernel.retype({ source, offsetBytes: 0, bytes: 8 * PAGE, target })).toBe(OK);
    const [part, other] = kernel.split({ ...whole, cap: target }, [PAGE, 7 * PAGE]) as [
      MmBlock<number>,
      MmBlock<number>,
    ];
    expect(kernel.mm.free({ ...part, cap: other.cap })).toBe(Err.MM_ERR_NOT_ALLOCATED);
    expect(kernel.identify(other.cap)).toBeDefined();
    expectSound(kernel, kernel.mm);
  });

  it('lets allocSlot allocate memory from the manager it serves', () => {
    let isGrowing = false;
    const kernel: CNodeKernel = new CNodeKernel(128, {
      refill: undefined,
      allocSlot: () => {
        if (kernel.freeSlotCount() <= 2 && !isGrowing) {
          isGrowing = true;
          expect(kernel.refill()).toBe(OK);
          isGrowing = false;
        }
        return kernel.allocSlot();
      },
    });
    const blocks: MmBlock<number>[] = [];
    for (let i = 0; i < 60; i++) blocks.push(must(kernel.mm.alloc(PAGE)));
    expect(kernel.cnodes.length).toBeGreaterThan(2);
    const bases = new Set([...blocks, ...kernel.cnodes].map(({ base }) => base));
    expect(bases.size).toBe(blocks.length + kernel.cnodes.length);
    expectSound(kernel, kernel.mm);
    for (const block of blocks) expect(kernel.mm.free(block)).toBe(OK);
    expectSound(kernel, kernel.mm);
  });

  it('keeps what was allocated inside a retype that then fails', () => {
    let inner: Result<MmBlock<number>> = fail(Err.LIB_ERR_NOT_IMPLEMENTED);
    let depth = 0;
    const kernel: CNodeKernel = new CNodeKernel(8, {
      retype: (request) => {
        depth += 1;
        if (depth === 2) return kernel.retype(request);
        inner = kernel.mm.alloc(PAGE);
        return Err.SYS_ERR_CAP_LOCKED;
      },
    });
    const err = errorOf(kernel.mm.alloc(2 * PAGE));
    expect(errNames(err)).toEqual(['MM_ERR_RETYPE', 'SYS_ERR_CAP_LOCKED']);
    expect(must(inner).base).toBe(BASE + 2 * PAGE);
    expect(kernel.mm.freeBytes()).toBe(7 * PAGE);
    expectSound(kernel, kernel.mm);
  });

  it('keeps nodes back for the free that is under way', () => {
    const inner: Errval[] = [];
    const kernel: CNodeKernel = new CNodeKernel(16, {
      nodeLimit: 4,
      refill: undefined,
      deleteCap: (cap) => {
        inner.push(errorOf(kernel.mm.alloc(PAGE, { from: BASE + 12 * PAGE })));
        return kernel.deleteCap(cap);
      },
    });
    const block = must(kernel.mm.alloc(8 * PAGE));
    const [, middle] = kernel.split(block, [PAGE, PAGE, 6 * PAGE]);
    expect(kernel.mm.free(middle ?? block)).toBe(OK);
    expect(inner).toEqual([Err.MM_ERR_NEW_NODE]);
    expectSound(kernel, kernel.mm);
  });

  it('survives a free of the same memory from inside the free', () => {
    let depth = 0;
    const inner: Errval[] = [];
    const kernel: CNodeKernel = new CNodeKernel(8, {
      deleteCap: (cap) => {
        depth += 1;
        const isInner = depth > 1;
        if (!isInner) inner.push(kernel.mm.free(block));
        return isInner ? kernel.deleteCap(cap) : OK;
      },
    });
    const block = must(kernel.mm.alloc(PAGE));
    expect(kernel.mm.free(block)).toBe(Err.MM_ERR_NOT_ALLOCATED);
    expect(inner).toEqual([OK]);
    expect(kernel.mm.freeBytes()).toBe(8 * PAGE);
    expectSound(kernel, kernel.mm);
  });

  it('stops a slot allocator that allocates memory for every slot, and works on after that', () => {
    let isBroken = true;
    const kernel: CNodeKernel = new CNodeKernel(8, {
      allocSlot: () => {
        if (isBroken) must(kernel.mm.alloc(PAGE));
        return kernel.allocSlot();
      },
    });
    expect(() => kernel.mm.alloc(PAGE)).toThrow(KernelPanic);
    isBroken = false;
    must(kernel.mm.alloc(PAGE));
    expectSound(kernel, kernel.mm);
  });
});

import { type Errval, isOk, never, paddr } from '@barreleye/core';
import { Err, errName, errNames } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, PAGE, RamKernel } from '../test/ram-kernel.ts';
import { checkMm } from './check-mm.ts';
import { errorOfAnswer, PageTableModel } from './mm.model.ts';
import { createMm, type Mm } from './mm.ts';
import { MmIndex } from './mm-index.ts';
import { MmList } from './mm-list.ts';
import type { MmBlock, MmStore } from './mm-store.ts';

const SEED = 62;
const SLOT_COUNT = 64;
/** First page and pages of each region; the first two touch, the last is out of order. */
const REGIONS = [
  [64, 24],
  [88, 16],
  [120, 31],
  [3, 9],
] as const;

type Trouble = 'none' | 'slot' | 'retype' | 'delete';
type Action =
  | { kind: 'alloc'; count: number; align: number; trouble: Trouble }
  | { kind: 'range'; count: number; align: number; from: number; span: number; trouble: Trouble }
  | { kind: 'free'; pick: number; trouble: Trouble }
  | { kind: 'part'; pick: number; cuts: [number, number]; trouble: Trouble }
  | { kind: 'wrong'; first: number; count: number };

const count = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.nat(40));
const align = fc.constantFrom(1, 1, 1, 2, 4, 8, 16);
const trouble = fc.constantFrom<Trouble>(
  'none',
  'none',
  'none',
  'none',
  'slot',
  'retype',
  'delete',
);
const pick = fc.nat();
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('alloc' as const), count, align, trouble }),
  fc.record({
    kind: fc.constant('range' as const),
    count,
    align,
    from: fc.nat(170),
    span: fc.nat(60),
    trouble,
  }),
  fc.record({ kind: fc.constant('free' as const), pick, trouble }),
  fc.record({ kind: fc.constant('part' as const), pick, cuts: fc.tuple(pick, pick), trouble }),
  fc.record({ kind: fc.constant('wrong' as const), first: fc.nat(170), count }),
);

/** A manager, the model beside it, and the capabilities that their user holds. */
class Pair {
  readonly kernel = new RamKernel(SLOT_COUNT);
  readonly model: PageTableModel;
  readonly mm: Mm<number>;
  readonly held: MmBlock<number>[] = [];

  constructor(nodeLimit: number, store: MmStore<number>) {
    this.model = new PageTableModel(nodeLimit);
    this.mm = createMm<number>(Object.assign(this.kernel, { store }));
    for (const [first, pageCount] of REGIONS) {
      this.model.addRegion(first, pageCount);
      expect(isOk(this.mm.add(this.kernel.boot(first * PAGE, pageCount)))).toBe(true);
    }
  }

  run(step: Action): void {
    switch (step.kind) {
      case 'alloc':
        this.alloc(step.count, step.align, 0, Number.POSITIVE_INFINITY, step.trouble);
        break;
      case 'range':
        this.alloc(step.count, step.align, step.from, step.from + step.span, step.trouble);
        break;
      case 'free':
        this.free(step.pick, step.trouble);
        break;
      case 'part':
        this.splitHeld(step.pick, step.cuts);
        this.free(step.pick, step.trouble);
        break;
      case 'wrong':
        this.freeWrong(step.first, step.count);
        break;
      default:
        never(step);
    }
  }

  /** The nodes are the runs of the model, nothing is wrong, and no slot is lost. */
  compare(): void {
    const seen = this.mm.nodes().map(({ base, bytes, state, parent }) => ({
      first: base / PAGE,
      count: bytes / PAGE,
      region: REGIONS.findIndex(([first]) => first === parent.base / PAGE) + 1,
      isFree: state === 'free',
    }));
    expect(seen).toEqual(this.model.runs());
    expect(checkMm(this.mm)).toEqual([]);
    expect(this.kernel.lostSlotCount()).toBe(0);
    for (const { cap, base, bytes } of this.held) {
      expect(this.kernel.identify(cap)).toEqual({ base, bytes });
    }
  }

  private alloc(pages: number, alignPages: number, from: number, to: number, why: Trouble): void {
    const place = { alignBytes: alignPages * PAGE, from: from * PAGE, to: to * PAGE };
    const run = (): Errval => {
      const result = this.mm.alloc(pages * PAGE, place);
      if (result.ok) this.held.push(result.value);
      return errorOf(result);
    };
    if (pages === 0) {
      expect(run()).toBe(Err.MM_ERR_INVALID_SIZE);
    } else if (why === 'slot' || this.kernel.freeSlotCount() === 0) {
      this.kernel.refuse.slot = Err.LIB_ERR_SLOT_ALLOC_NO_SPACE;
      expect(errName(run())).toBe('MM_ERR_SLOT_ALLOC');
      delete this.kernel.refuse.slot;
    } else if (why === 'retype') {
      this.kernel.refuse.retype = Err.SYS_ERR_RETRY_THROUGH_MONITOR;
      expect(errName(run())).toMatch(/MM_ERR_(RETYPE|NOT_FOUND|NEW_NODE|OUT_OF_BOUNDS)/);
      delete this.kernel.refuse.retype;
    } else {
      const expected = this.model.alloc(pages, alignPages, from, to);
      expect(run()).toBe(errorOfAnswer(expected));
      if (typeof expected === 'number') expect(this.held.at(-1)?.base).toBe(expected * PAGE);
    }
  }

  private free(which: number, why: Trouble): void {
    const index = which % Math.max(1, this.held.length);
    const block = this.held[index];
    if (block === undefined) return;
    const [first, pages] = [block.base / PAGE, block.bytes / PAGE];
    if (why === 'delete') {
      this.kernel.refuse.delete = Err.SYS_ERR_CAP_LOCKED;
      const expected = this.model.errorOfFree(first, pages) ?? 'MM_ERR_DELETE';
      expect(errName(this.mm.free(block))).toBe(expected);
      delete this.kernel.refuse.delete;
      return;
    }
    const expected = this.model.free(first, pages);
    expect(errNames(this.mm.free(block))).toEqual(typeof expected === 'number' ? [] : [expected]);
    if (typeof expected === 'number') this.held.splice(index, 1);
  }

  /** Free pages that are not an allocation, with a capability for something else. */
  private freeWrong(first: number, pages: number): void {
    if (pages === 0 || this.model.errorOfFree(first, pages) !== 'MM_ERR_NOT_ALLOCATED') return;
    const cap = this.held[0]?.cap ?? 0;
    const err = this.mm.free({ cap, base: paddr(first * PAGE), bytes: pages * PAGE });
    expect(errNames(err)).toEqual(['MM_ERR_NOT_ALLOCATED']);
  }

  /** Replace a capability by up to three for its parts, so that a part can be freed. */
  private splitHeld(which: number, cuts: readonly [number, number]): void {
    const index = which % Math.max(1, this.held.length);
    const block = this.held[index];
    if (block === undefined || this.kernel.freeSlotCount() < 3) return;
    const ends = [...cuts.map((cut) => cut % (block.bytes / PAGE)), block.bytes / PAGE];
    let start = 0;
    const partBytes: number[] = [];
    for (const end of ends.toSorted((a, b) => a - b)) {
      if (end > start) partBytes.push((end - start) * PAGE);
      start = Math.max(start, end);
    }
    this.held.splice(index, 1, ...this.kernel.split(block, partBytes));
  }
}

describe.each([
  ['an index', MmIndex<number>],
  ['a list', MmList<number>],
])('a memory manager over %s', (_, Store) => {
  it.each([Number.POSITIVE_INFINITY, 12, 6])(
    `agrees with a table of pages, with at most %d nodes (seed ${SEED})`,
    (nodeLimit) => {
      const property = fc.property(fc.array(action, { maxLength: 80, size: 'max' }), (steps) => {
        const pair = new Pair(nodeLimit, new Store(nodeLimit));
        for (const step of steps) {
          pair.run(step);
          pair.compare();
        }
      });
      fc.assert(property, { seed: SEED, numRuns: 150 });
    },
  );
});

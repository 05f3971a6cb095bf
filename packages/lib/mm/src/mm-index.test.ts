import { OK, type Paddr, paddr } from '@barreleye/core';
import { Err } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorIn, mustTake, PAGE } from '../test/ram-kernel.ts';
import { MmIndex } from './mm-index.ts';
import { MmList } from './mm-list.ts';
import type { MmRequest, MmStore } from './mm-store.ts';
import type { PageMap } from './page-map.ts';

const SEED = 4;
/** First page and page count of each region; the first two touch, the last is out of order. */
const REGIONS = [
  [5000, 1100],
  [6100, 700],
  [9000, 65],
  [32, 33],
] as const;
const LAST_PAGE = 9100;

type Step =
  | { kind: 'take'; count: number; alignBits: number; from: number; span: number }
  | { kind: 'give'; pick: number; cuts: readonly [number, number] }
  | { kind: 'wrong'; first: number; count: number };

const anywhere = { from: fc.constant(0), span: fc.constant(2 * LAST_PAGE) };
const somewhere = { from: fc.nat(LAST_PAGE), span: fc.nat(2000) };
const count = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 800 }) },
);
const alignBits = fc.oneof(fc.constant(0), fc.nat(10));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: take(anywhere) },
  { weight: 2, arbitrary: take(somewhere) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('give' as const),
      pick: fc.nat(),
      cuts: fc.oneof(fc.constant([0, 0] as const), fc.tuple(fc.nat(), fc.nat())),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wrong' as const), first: fc.nat(LAST_PAGE), count }),
  },
);

function take(range: { from: fc.Arbitrary<number>; span: fc.Arbitrary<number> }) {
  return fc.record({ kind: fc.constant('take' as const), count, alignBits, ...range });
}

/** A list and an index that get the same requests; every answer is compared. */
class Twins {
  readonly list: MmList<number>;
  readonly index: MmIndex<number>;
  private readonly held: { first: number; count: number }[] = [];

  constructor(nodeLimit: number) {
    this.list = new MmList(nodeLimit);
    this.index = new MmIndex(nodeLimit);
    for (const [first, pageCount] of REGIONS) {
      const region = { cap: first, base: paddr(first * PAGE), bytes: pageCount * PAGE };
      this.both((store) => store.add(region));
    }
  }

  run(asked: Step): void {
    if (asked.kind === 'take') this.take(asked);
    else if (asked.kind === 'wrong') this.giveWrong(asked.first, asked.count);
    else this.giveHeld(asked.pick, asked.cuts);
  }

  compare(): void {
    this.both((store) => store.nodes());
    this.both((store) => [store.usedNodes(), store.spareNodes(), store.freeBytes()]);
    expect(this.index.checkStructure()).toEqual([]);
    const held = this.held.reduce((pages, block) => pages + block.count, 0);
    expect(this.index.freeBytes() + held * PAGE).toBe(this.index.totalBytes());
  }

  private take({ count, alignBits, from, span }: Step & { kind: 'take' }): void {
    const request: MmRequest = {
      bytes: count * PAGE,
      alignBytes: PAGE * 2 ** alignBits,
      from: from * PAGE - 1,
      to: (from + span) * PAGE + 1,
    };
    const taken = this.both((store) => store.take(request));
    if (taken < 0) return;
    this.both((store) => store.parentOf(paddr(taken)));
    this.held.push({ first: taken / PAGE, count });
  }

  private giveHeld(pick: number, cuts: readonly [number, number]): void {
    const which = pick % Math.max(1, this.held.length);
    const block = this.held[which];
    if (block === undefined) return;
    const skipped = cuts[0] % block.count;
    const freed = cuts[1] === 0 ? block.count - skipped : 1 + (cuts[1] % (block.count - skipped));
    const isWhole = freed === block.count;
    const isDone = this.give(block.first + skipped, freed);
    expect(isDone || !isWhole).toBe(true);
    if (!isDone) return;
    const end = block.first + block.count;
    const behind = block.first + skipped + freed;
    const parts = [
      { first: block.first, count: skipped },
      { first: behind, count: end - behind },
    ];
    this.held.splice(which, 1, ...parts.filter((part) => part.count > 0));
  }

  private giveWrong(first: number, count: number): void {
    const isIn = (b: { first: number; count: number }): boolean =>
      first >= b.first && first + count <= b.first + b.count;
    if (!this.held.some(isIn)) expect(this.give(first, count)).toBe(false);
  }

  /** @returns whether both could */
  private give(first: number, count: number): boolean {
    const base = paddr(first * PAGE);
    const cost = this.both((store) => store.nodesToGive(base, count * PAGE));
    const err = this.both((store) => store.give(base, count * PAGE));
    if (cost < 0) expect(err).toBe(-cost);
    return err === OK;
  }

  private both<T>(ask: (store: MmStore<number>) => T): T {
    const answer = ask(this.index);
    expect(answer).toEqual(ask(this.list));
    return answer;
  }
}

describe('an index', () => {
  it.each([Number.POSITIVE_INFINITY, 20])(
    `gives the answers of the list, with at most %d nodes (seed ${SEED})`,
    (nodeLimit) => {
      const steps = fc.array(step, { maxLength: 120, size: 'max' });
      const property = fc.property(steps, (history) => {
        const twins = new Twins(nodeLimit);
        for (const asked of history) {
          twins.run(asked);
          twins.compare();
        }
      });
      fc.assert(property, { seed: SEED, numRuns: 60 });
    },
    60_000,
  );

  it('finds the run of a page far behind its start, over every level', () => {
    const index = new MmIndex<number>();
    const pageCount = 200_000;
    expect(index.add({ cap: 0, base: paddr(0), bytes: pageCount * PAGE })).toBe(OK);
    const first = mustTake(index.take(request(7)));
    const long = mustTake(index.take(request(pageCount - 7)));
    for (const page of [7, 8, 38, 39, 519, 8199, 131_079, pageCount - 1]) {
      expect(index.nodesToGive(at(page), PAGE)).toBeGreaterThan(0);
    }
    expect(index.give(at(150_000), PAGE)).toBe(OK);
    expect(mustTake(index.take(request(1)))).toBe(at(150_000));
    expect(errorIn(index.take(request(1)))).toBe(Err.MM_ERR_NOT_FOUND);
    expect(index.give(first, 7 * PAGE)).toBe(OK);
    expect(index.give(long, 149_993 * PAGE)).toBe(OK);
    expect(index.nodes().map(({ bytes }) => bytes / PAGE)).toEqual([150_000, 1, 49_999]);
    expect(index.checkStructure()).toEqual([]);
  });

  it('keeps memory at address 0 and the last page of all apart', () => {
    const index = new MmIndex<number>();
    const last = paddr(2 ** 52 - PAGE);
    expect(index.add({ cap: 1, base: last, bytes: PAGE })).toBe(OK);
    expect(index.add({ cap: 0, base: paddr(0), bytes: PAGE })).toBe(OK);
    expect(mustTake(index.take(request(1)))).toBe(0);
    expect(mustTake(index.take(request(1)))).toBe(last);
    expect(index.give(last, PAGE)).toBe(OK);
    expect(index.give(at(1), PAGE)).toBe(Err.MM_ERR_NOT_ALLOCATED);
    expect(index.freeBytes()).toBe(PAGE);
  });

  it('refuses a region of more pages than it can count', () => {
    const index = new MmIndex<number>();
    const bytes = 2 ** 31 * PAGE;
    expect(index.add({ cap: 0, base: paddr(0), bytes })).toBe(Err.MM_ERR_NEW_NODE);
    expect([index.totalBytes(), index.regions().length]).toEqual([0, 0]);
  });

  it('answers a range that is not a number like an empty one', () => {
    const index = new MmIndex<number>();
    expect(index.add({ cap: 0, base: paddr(0), bytes: 64 * PAGE })).toBe(OK);
    const from = { ...request(1), from: Number.NaN };
    const to = { ...request(1), to: Number.NaN };
    expect(errorIn(index.take(from))).toBe(Err.MM_ERR_NOT_FOUND);
    expect(errorIn(index.take(to))).toBe(Err.MM_ERR_NOT_FOUND);
  });
});

describe('the structure of an index', () => {
  const corrupt = (change: (map: PageMap) => void): string[] => {
    const index = new MmIndex<number>();
    expect(index.add({ cap: 0, base: paddr(0x1000), bytes: 2000 * PAGE })).toBe(OK);
    mustTake(index.take(request(40)));
    mustTake(index.take({ ...request(1), alignBytes: 8 * PAGE }));
    expect(index.checkStructure()).toEqual([]);
    change(Reflect.get(index, 'sorted')[0].map);
    return index.checkStructure();
  };

  it.each<[string, (map: PageMap) => void, string]>([
    [
      'a maximum',
      ({ lengths }) => lengths.values[lengths.offsets[1]!]!++,
      'level 1 of the lengths',
    ],
    ['a start too many', ({ starts }) => starts.add(32), 'page 32 starts a run in another'],
    ['a start too few', ({ starts }) => starts.delete(40), 'page 40 should start a run'],
    [
      'a word of starts',
      ({ starts }) => starts.words.fill(0, starts.offsets[1]),
      'of the starts is wrong at 0',
    ],
    ['a length', ({ lengths }) => lengths.set(9, 1), 'page 9 has a length and starts no run'],
    ['a place', ({ alignments }) => alignments[0]!.tree.set(3, 4), 'place 3 at 8 has 4, not 0'],
  ])('is checked: %s', (_, change, sentence) => {
    expect(corrupt(change).join('\n')).toContain(sentence);
    expect(corrupt(change)[0]).toContain('region 0x1000: ');
  });

  it('is checked: the number of nodes', () => {
    const index = new MmIndex<number>();
    Reflect.set(index, 'limit', -1);
    expect(index.checkStructure()).toContain('more nodes are in use than there may be');
  });
});

function at(page: number): Paddr {
  return paddr(page * PAGE);
}

function request(count: number): MmRequest {
  return { bytes: count * PAGE, alignBytes: PAGE, from: 0, to: 2 ** 52 };
}

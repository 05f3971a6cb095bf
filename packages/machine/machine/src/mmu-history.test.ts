/**
 * The MMU under a careless kernel: tables change and nothing is invalidated, or only some of it.
 * Whatever it translates was right at some time since the last invalidation that covers it.
 */

import { asPaddr, PhysMem } from '@barreleye/core';
import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_32, pagingX86_32Pae } from '@barreleye/paging-x86-32';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { Access, PageFlag, type Paging, type Walker } from '@barreleye/spec';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Tables } from '../test/tables.ts';
import { Mmu, TLB_ENTRIES } from './mmu.ts';

const SEED = 23;
const PAGE = 4096;
const RAM = 0x20_0000;
const RAM_BYTES = 0x4_0000;
const TABLES_BYTES = 0x1_0000;
const SPACES = 2;
/** Far enough apart for a table of the last level each, in every format. */
const FIRST_VA = 0x800_0000;
const REGION_BYTES = 0x40_0000;
const REGIONS = 2;
/** Offsets in a region: neighbours, and two that want the same place in the TLB. */
const OFFSETS = [0, PAGE, (TLB_ENTRIES + 1) * PAGE, 0x1234];
const FAULT = -1;

const region = fc.nat(REGIONS - 1);
const space = fc.nat(SPACES - 1);
const place = { space, region, offset: fc.constantFrom(...OFFSETS) };
const flags = fc.constantFrom(PageFlag.Read, PageFlag.Read | PageFlag.Write);
const command = fc.oneof(
  fc.record({ do: fc.constant('small' as const), ...place, frame: fc.nat(9), flags }),
  fc.record({ do: fc.constant('large' as const), ...place, frame: fc.nat(9), flags }),
  fc.record({ do: fc.constant('clear' as const), ...place }),
  fc.record({ do: fc.constant('enter' as const), space }),
  fc.record({
    do: fc.constant('forget' as const),
    what: fc.constantFrom('page' as const, 'page' as const, 'tag' as const, 'all' as const),
    ...place,
  }),
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('access' as const),
      region,
      offset: fc.constantFrom(...OFFSETS),
      kind: fc.constantFrom(Access.Read, Access.Write),
    }),
  },
);

/** The MMU, and what the translation of each page has been since it was last forgotten. */
class History {
  private readonly paging: Paging;
  private readonly mem: PhysMem;
  private readonly spaces: readonly Tables[];
  private readonly walker: Walker;
  private readonly mmu: Mmu;
  private space = 0;
  /** By space, access and address: what may be seen. */
  private readonly seen = new Map<string, Set<number>>();
  /** Translations that were seen although the tables say otherwise by now. */
  staleCount = 0;

  constructor(paging: Paging) {
    this.paging = paging;
    this.mem = new PhysMem(new ArrayBuffer(RAM_BYTES), RAM);
    this.spaces = Array.from(
      { length: SPACES },
      (_, i) => new Tables(this.mem, paging, RAM + i * TABLES_BYTES),
    );
    this.walker = paging.createWalker(this.mem);
    this.mmu = new Mmu(this.mem, paging);
    this.enter(0);
  }

  enter(space: number): void {
    this.space = space;
    this.mmu.root = this.tables(space).root;
    this.mmu.tag = space;
  }

  /** Change the entry for `va` in the table of level `level`; undefined clears it. */
  change(space: number, va: number, level: number, frame?: number, pageFlags = 0): void {
    const { mem, paging } = this;
    const tables = this.tables(space);
    const leaf = paging.levels.length - 1;
    if (level < leaf) {
      const { table, index } = tables.place(va, level);
      paging.clearEntry(mem, level, table, index); // a table below it is lost, and that is fine
    } else if (this.isLarge(space, va)) {
      return;
    }
    const { table, index } = tables.place(va, level);
    if (frame === undefined) paging.clearEntry(mem, level, table, index);
    else paging.writePage(mem, level, table, index, asPaddr(frame), pageFlags);
    this.record();
  }

  forget(what: 'page' | 'tag' | 'all', space: number, va: number): void {
    if (what === 'page') this.mmu.invalidatePage(va);
    else if (what === 'tag') this.mmu.invalidateTag(space);
    else this.mmu.invalidateAll();
    for (const key of [...this.seen.keys()]) {
      const [keySpace, , keyVa] = key.split(' ').map(Number);
      const isPage = Math.floor(keyVa! / PAGE) === Math.floor(va / PAGE);
      if (what === 'all' || (what === 'tag' ? keySpace === space : isPage)) this.seen.delete(key);
    }
    this.record();
  }

  /** An access: what came must be among what may be seen. */
  access(va: number, kind: number): void {
    const now = this.walk(this.space, va, kind);
    const found = this.mmu.translate(va, kind);
    const may = this.seen.get(`${this.space} ${kind} ${va}`) ?? new Set([now]);
    expect([...may]).toContain(found);
    if (found === FAULT) expect(now).toBe(FAULT); // faults are not remembered
    if (found !== now) this.staleCount += 1;
  }

  /** Add to what may be seen what the tables say now. */
  record(): void {
    for (let space = 0; space < SPACES; space++) {
      for (const va of addresses()) {
        for (const kind of [Access.Read, Access.Write]) {
          const key = `${space} ${kind} ${va}`;
          const may = this.seen.get(key) ?? new Set();
          this.seen.set(key, may.add(this.walk(space, va, kind)));
        }
      }
    }
  }

  get leaf(): number {
    return this.paging.levels.length - 1;
  }

  private isLarge(space: number, va: number): boolean {
    const level = this.leaf - 1;
    const { table, index } = this.tables(space).place(va, level);
    return this.paging.readEntry(this.mem, level, table, index).kind === 'page';
  }

  /** What the tables say now. */
  private walk(space: number, va: number, kind: number): number {
    return this.walker.walk(this.tables(space).root, va, kind | Access.User);
  }

  private tables(space: number): Tables {
    const tables = this.spaces[space];
    if (tables === undefined) throw new Error('no such space');
    return tables;
  }
}

function addressOf(region: number, offset: number): number {
  return FIRST_VA + region * REGION_BYTES + offset;
}

function addresses(): number[] {
  return Array.from({ length: REGIONS }, (_, r) => OFFSETS.map((o) => addressOf(r, o))).flat();
}

it.each([
  ['x86_64', pagingX86_64],
  ['x86_32', pagingX86_32],
  ['x86_32 with PAE', pagingX86_32Pae],
  ['armv7', pagingArmv7],
])(`over tables of %s nothing is older than the last invalidation (seed ${SEED})`, (_, paging) => {
  let staleCount = 0;
  const run = fc.property(fc.array(command, { minLength: 60, maxLength: 120 }), (commands) => {
    const history = new History(paging);
    history.record();
    const large = history.leaf - 1;
    const span = 2 ** (paging.levels[large]?.spanBits ?? 0);
    for (const c of commands) {
      const va = 'region' in c ? addressOf(c.region, c.offset) : 0;
      if (c.do === 'small') {
        history.change(c.space, va, history.leaf, 0x1000_0000 + c.frame * PAGE, c.flags);
      } else if (c.do === 'large') {
        history.change(c.space, va, large, 0x4000_0000 + c.frame * span, c.flags);
      } else if (c.do === 'clear') history.change(c.space, va, large);
      else if (c.do === 'enter') history.enter(c.space);
      else if (c.do === 'forget') history.forget(c.what, c.space, va);
      else history.access(va, c.kind);
    }
    staleCount += history.staleCount;
  });
  fc.assert(run, { seed: SEED, numRuns: 100 });
  expect(staleCount).toBeGreaterThan(50); // so missing invalidations are seen
});

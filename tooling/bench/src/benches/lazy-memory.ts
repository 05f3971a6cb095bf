/**
 * Memory that is backed when it is touched: a domain with all of a machine's RAM touches a region
 * page by page, and every first touch is a page fault that it serves itself: trap, upcall, RAM
 * from the memory manager, two retypes, a map, and the access once more. Beside it the same pages
 * backed when the region is made, without a fault.
 */
import type { System } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { assert, BASE_PAGE_SIZE, isOk } from '@barreleye/core';
import { createMemory, type Memory, readBootInfo } from '@barreleye/init';
import { type Os, program, unwrap, type Wait } from '@barreleye/libos';
import { Kcb, PageFlag } from '@barreleye/spec';
import type { Bench, Gauge, Trial } from '../bench.ts';
import { bootPrograms } from '../boot-programs.ts';

/** The size of the heap of the acceptance test. */
const REGION_BYTES = 256 * 2 ** 20;
/** Pages touched in one round, and the distance between them: they are all over the region. */
const PAGES = 8192;
const STRIDE_BYTES = REGION_BYTES / PAGES;
const RAM_BYTES = 128 * 2 ** 20;
const FLAGS = PageFlag.Read | PageFlag.Write;

export const benches: readonly Bench[] = [
  bench('lazy page', 'us/op', ({ milliseconds }) => (milliseconds * 1e6) / PAGES),
  bench('lazy page: kernel entries', 'entries/op', ({ entries }) => entries / PAGES),
  bench('lazy page: RAM', 'B/op', ({ ramBytes }) => ramBytes / PAGES),
];

/** What a round has taken. */
interface Cost {
  readonly milliseconds: number;
  readonly entries: number;
  readonly ramBytes: number;
}

function bench(name: string, unit: Bench['unit'], figure: (cost: Cost) => number): Bench {
  const setup = (): Trial => {
    const toucher = new Toucher();
    const gauge = (isLazy: boolean): Gauge => ({ round: () => figure(toucher.round(isLazy)) });
    return { operations: PAGES, subject: gauge(true), baseline: gauge(false) };
  };
  return { name, unit, baselineName: 'backed from the start', setup };
}

/** A machine whose first domain does one round whenever it is asked to. */
class Toucher {
  private readonly system: System;
  private wish: 'lazy' | 'backed' | 'nothing';
  private cost: Cost | undefined;

  constructor() {
    this.wish = 'nothing';
    this.cost = undefined;
    this.system = this.boot();
  }

  round(isLazy: boolean): Cost {
    this.wish = isLazy ? 'lazy' : 'backed';
    this.cost = undefined;
    const { machine } = this.system;
    while (this.cost === undefined) {
      machine.run(1);
      const [failure] = machine.programFailures;
      if (failure !== undefined) throw failure.error;
    }
    return this.cost;
  }

  private boot(): System {
    const main = program('toucher', (os, argPage) => this.main(os, argPage));
    return bootPrograms([main], RAM_BYTES);
  }

  private *main(os: Os, argPage: number): Wait<void> {
    const memory = createMemory(os, readBootInfo(os.sys.cpu, argPage), targetX86_64.paging);
    for (;;) {
      const { wish } = this;
      this.wish = 'nothing';
      if (wish === 'lazy') yield* this.touchLazy(os, memory);
      else if (wish === 'backed') yield* this.touchBacked(os, memory);
      yield* os.giveWay();
    }
  }

  private *touchLazy(os: Os, { vspace, mm }: Memory): Wait<void> {
    const { base } = unwrap(vspace.reserve({ bytes: REGION_BYTES, flags: FLAGS }));
    const before = this.now(mm.freeBytes());
    for (let at = 0; at < REGION_BYTES; at += STRIDE_BYTES) yield* os.store32(base + at, at);
    this.cost = this.costSince(before, mm.freeBytes());
    assert(isOk(vspace.unmap(base)), 'a region can be unmapped');
  }

  private *touchBacked(os: Os, { vspace, mm }: Memory): Wait<void> {
    const bytes = PAGES * BASE_PAGE_SIZE;
    const before = this.now(mm.freeBytes());
    const { base } = unwrap(vspace.reserve({ bytes, flags: FLAGS, isBacked: true }));
    for (let at = 0; at < bytes; at += BASE_PAGE_SIZE) yield* os.store32(base + at, at);
    this.cost = this.costSince(before, mm.freeBytes());
    assert(isOk(vspace.unmap(base)), 'a region can be unmapped');
  }

  private now(freeBytes: number): Cost {
    const { machine, plan } = this.system;
    const entries = Kcb.kernelEntries.get(machine.mem, plan.kcb);
    return { milliseconds: performance.now(), entries, ramBytes: freeBytes };
  }

  private costSince(before: Cost, freeBytes: number): Cost {
    const after = this.now(freeBytes);
    return {
      milliseconds: after.milliseconds - before.milliseconds,
      entries: after.entries - before.entries,
      ramBytes: before.ramBytes - after.ramBytes,
    };
  }
}

/**
 * Revoke, stated per capability that it removes: how it grows with the database around what is
 * revoked, and with what is revoked.
 */
import { createCap, deleteCap, revoke, type Slot } from '@barreleye/caps';
import { BASE_PAGE_SIZE } from '@barreleye/core';
import { ObjType } from '@barreleye/spec';
import type { Bench, Gauge, Trial } from '../bench.ts';
import { CapSpace } from '../cap-space.ts';
import { move, mustSucceed } from '../operations.ts';
import { timing } from '../sides.ts';
import { label, SIZES } from '../sizes.ts';

/** Descendants, where the size of the database varies. */
const DESCENDANTS = 256;
/** The size of the database, where the number of descendants varies. */
const CAPABILITIES = 1e6;
const DESCENDANT_COUNTS: readonly number[] = [1e2, 1e3, 1e4, 1e5, 1e6];

export const benches: readonly Bench[] = [
  ...SIZES.map(
    (size): Bench => ({
      name: `revoke ${DESCENDANTS} at ${label(size)}`,
      unit: 'ns/op',
      baselineName: 'mdb delete+insert',
      family: `revoke ${DESCENDANTS}`,
      size,
      setup: () => setupAmong(size),
    }),
  ),
  ...DESCENDANT_COUNTS.map(
    (size): Bench => ({
      name: `revoke ${label(size)} of ${label(CAPABILITIES)}`,
      unit: 'ns/op',
      baselineName: 'delete one by one',
      family: `revoke n of ${label(CAPABILITIES)}`,
      size,
      setup: () => setupOf(size),
    }),
  ),
];

function setupAmong(size: number): Trial {
  const space = new CapSpace(size);
  const run = new PageRun(space, DESCENDANTS);
  return {
    operations: DESCENDANTS,
    subject: run.timing(() => run.revoke()),
    baseline: move(space, DESCENDANTS),
  };
}

function setupOf(count: number): Trial {
  const run = new PageRun(new CapSpace(CAPABILITIES), count);
  return {
    operations: count,
    subject: run.timing(() => run.revoke()),
    baseline: run.timing(() => run.delete()),
  };
}

/** Some pages in a row, and one capability that they all descend from. */
class PageRun {
  private readonly space: CapSpace;
  private readonly count: number;
  /** Where the common ancestor is. */
  private readonly ancestor: Slot;
  private first: number;

  constructor(space: CapSpace, count: number) {
    this.space = space;
    this.count = count;
    this.ancestor = space.emptySlot(0, 1);
    this.first = 0;
  }

  /** `call`, which takes the pages away, every time somewhere else. */
  timing(call: () => void): Gauge {
    return timing({ before: () => this.begin(), call, after: () => this.restore() }, this.count);
  }

  revoke(): void {
    mustSucceed(revoke(this.space.caps, this.ancestor));
  }

  delete(): void {
    const { space, first, count } = this;
    for (let page = first; page < first + count; page++) {
      mustSucceed(deleteCap(space.caps, space.slotOf(page)));
    }
  }

  private begin(): void {
    const { space, count } = this;
    const page = Math.min(space.draw(), space.count - count);
    this.first = page - (page % 2);
    const spec = { base: space.baseOf(this.first), bytes: count * BASE_PAGE_SIZE };
    createCap(space.caps, this.ancestor, ObjType.RAM, spec);
  }

  private restore(): void {
    const { space, first, count } = this;
    mustSucceed(deleteCap(space.caps, this.ancestor));
    for (let page = first; page < first + count; page++) space.create(page);
  }
}

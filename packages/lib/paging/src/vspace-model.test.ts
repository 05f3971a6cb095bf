/** Address spaces against a row of pages. */

import { OK } from '@barreleye/core';
import { Err, PageFlag } from '@barreleye/spec';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type NamedShape, SHAPES } from '../test/shapes.ts';
import { PAGE, Space } from '../test/space.ts';
import { PageModel } from './vspace.model.ts';

const SEED = 21;
const PAGES = 40;
const FLAGS = PageFlag.Read;

type Step =
  | { readonly map: number; readonly fail: number }
  | { readonly at: number; readonly count: number; readonly fail: number }
  | { readonly unmap: number };

const count = fc.integer({ min: 1, max: 6 });
/** The step of an operation that fails; 0 and large numbers: none. */
const failing = fc.nat(40);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ map: count, fail: failing }),
  fc.record({ at: fc.nat(PAGES), count, fail: failing }),
  fc.record({ unmap: fc.nat(PAGES) }),
);

/** A space of `PAGES` pages that begins in one table of the last level and ends in the next. */
class SpaceAndModel {
  readonly space: Space;
  private readonly model = new PageModel(PAGES);
  private readonly base: number;
  private readonly frame;

  constructor(named: NamedShape) {
    this.base = named.from + 6 * 2 ** 20 - (PAGES / 2) * PAGE;
    this.space = new Space({ ...named, from: this.base }, this.base + PAGES * PAGE);
    this.frame = this.space.createFrame(8);
  }

  run(s: Step): void {
    const { vspace } = this.space;
    this.space.failAt('fail' in s && s.fail > 0 ? s.fail : Number.POSITIVE_INFINITY);
    if ('unmap' in s) {
      const err = vspace.unmap(this.base + s.unmap * PAGE);
      expect(err).toBe(this.model.unmap(s.unmap) ? OK : Err.LIB_ERR_PMAP_NOT_MAPPED);
      return;
    }
    const pageCount = 'map' in s ? s.map : s.count;
    const request = { frame: this.frame, bytes: pageCount * PAGE, flags: FLAGS };
    const place = 'map' in s ? this.model.firstFit(pageCount) : s.at;
    const isPossible = place >= 0 && this.model.isFree(place, pageCount);
    const result =
      'map' in s ? vspace.map(request) : vspace.mapFixed(this.base + s.at * PAGE, request);
    expect(result.ok).toBe(isPossible && !this.space.hasFailed);
    if (!result.ok) return;
    expect(result.value.base).toBe(this.base + place * PAGE);
    this.model.map(place, pageCount);
  }

  expectEqual(): void {
    const { space, model, base } = this;
    const seen = model.pages.map((_, i) => space.at(base + i * PAGE));
    const wanted = model.pages.map((page) =>
      page === undefined ? undefined : space.pageOf(this.frame, page, FLAGS),
    );
    expect(seen).toEqual(wanted);
    const listed = space.vspace.regions().map((r) => [(r.base - base) / PAGE, r.bytes / PAGE]);
    expect(listed).toEqual([...model.regions].sort(([a], [b]) => a - b));
  }
}

it.each(SHAPES)(`a space of $name agrees with a row of pages (seed ${SEED})`, (named) => {
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const both = new SpaceAndModel(named);
    for (const s of steps) {
      both.run(s);
      both.expectEqual();
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 60 });
});

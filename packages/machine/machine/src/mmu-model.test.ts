/** The MMU against the walks that it saves. */

import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_32, pagingX86_32Pae } from '@barreleye/paging-x86-32';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { Access } from '@barreleye/spec';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FRAME_COUNT, MmuAndModel, PAGE_COUNT, SPACE_COUNT } from './mmu.model.ts';

const SEED = 17;

const page = fc.nat(PAGE_COUNT - 1);
const space = fc.nat(SPACE_COUNT - 1);
const command = fc.oneof(
  fc.record({
    do: fc.constant('map' as const),
    space,
    page,
    frame: fc.nat(FRAME_COUNT - 1),
    flags: fc.oneof(fc.constant(3), fc.nat(15)),
  }),
  fc.record({
    do: fc.constant('unmap' as const),
    space,
    page,
    forget: fc.constantFrom<'page' | 'tag' | 'all'>('page', 'page', 'tag', 'all'),
  }),
  fc.record({ do: fc.constant('enter' as const), space }),
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('access' as const),
      page,
      at: fc.nat(4095),
      kind: fc.constantFrom(Access.Read, Access.Write, Access.Execute),
    }),
  },
);

it.each([
  ['x86_64', pagingX86_64],
  ['x86_32', pagingX86_32],
  ['x86_32 with PAE', pagingX86_32Pae],
  ['armv7', pagingArmv7],
])(`over tables of %s the TLB changes nothing for a careful kernel (seed ${SEED})`, (_, paging) => {
  let hitCount = 0;
  const run = fc.property(fc.array(command, { minLength: 20, maxLength: 100 }), (commands) => {
    const both = new MmuAndModel(paging);
    for (const c of commands) {
      if (c.do === 'map') both.map(c.space, c.page, c.frame, c.flags);
      else if (c.do === 'unmap') both.unmap(c.space, c.page, c.forget);
      else if (c.do === 'enter') both.enter(c.space);
      else {
        const { mmu, model } = both.access(c.page, c.at, c.kind);
        expect(mmu).toEqual(model);
        if (typeof mmu === 'number') hitCount += 1;
      }
    }
    expect(both.hasEqualMemories()).toBe(true);
  });
  fc.assert(run, { seed: SEED, numRuns: 100 });
  expect(hitCount).toBeGreaterThan(1000); // accesses that succeed: the run is about something
});

/** What ordered accesses cost, by who has the line and where. */

import { paddr } from '@barreleye/core';
import { Access } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoherenceModel } from './coherence.model.ts';
import { Coherence } from './coherence.ts';
import { DistanceCost } from './costs.ts';
import { TOPOLOGIES, topologyOf } from './topologies.ts';

const SEED = 29;

const { Read, Write } = Access;
const { Transfer, Hop } = DistanceCost;
/** Three packages of two cores in a row: 0-1-2. */
const ROW = topologyOf(3, 2, [
  [0, 1],
  [1, 2],
]);
const PACKAGE_BYTES = 0x10_0000;
const ORIGIN = 0x10_0000;

/** The word `index` of the RAM of package `home`. */
function wordOf(home: number, index = 0): number {
  return (home * PACKAGE_BYTES) / 4 + index;
}

/** A directory, and a clock for each core: what an access took. */
function create(coreCount = 6): (core: number, index: number, access?: number) => number {
  const ram = [{ base: paddr(ORIGIN), bytes: 3 * PACKAGE_BYTES }];
  const coherence = new Coherence(ROW, coreCount, ORIGIN, ram);
  let now = 0;
  return (core, index, access = Read) => {
    now += 10_000; // nobody else wants it any more
    return coherence.reach(core, index, access, now) - now;
  };
}

describe('an ordered access', () => {
  it('to a line that nobody has asks the package whose RAM it is', () => {
    const reach = create();
    expect(reach(0, wordOf(0))).toBe(Transfer);
    expect(reach(0, wordOf(1))).toBe(Transfer + 2 * Hop);
    expect(reach(0, wordOf(2), Write)).toBe(Transfer + 4 * Hop);
  });

  it('to a line that the core has costs nothing more', () => {
    const reach = create();
    reach(0, 0, Write);
    for (const access of [Read, Write, Read]) expect(reach(0, 5, access)).toBe(0);
  });

  it('to what another core has written last costs more the farther that is', () => {
    const reach = create();
    const costs = [1, 2, 4].map((reader) => {
      reach(0, 0, Write);
      return reach(reader, 0);
    });
    expect(costs).toEqual([Transfer, Transfer + 2 * Hop, Transfer + 4 * Hop]);
  });

  it('that writes waits for the farthest core that has read', () => {
    const reach = create();
    for (const reader of [0, 1]) reach(reader, 0);
    expect(reach(0, 0, Write)).toBe(Transfer);
    for (const reader of [1, 2, 4]) reach(reader, 0);
    expect(reach(0, 0, Write)).toBe(Transfer + 4 * Hop);
    expect([1, 2, 4].map((reader) => reach(reader, 0) > 0)).toEqual([true, true, true]);
  });

  it('to a line with several readers comes from its home, not from the farthest of them', () => {
    const reach = create();
    reach(4, 0);
    expect(reach(0, 0)).toBe(Transfer + 4 * Hop); // core 4 could have written it
    expect(reach(1, 0)).toBe(Transfer);
  });

  it('goes round by the home of the line, even within another package', () => {
    const reach = create();
    reach(4, wordOf(2), Write);
    reach(4, wordOf(0), Write);
    expect(reach(5, wordOf(2))).toBe(Transfer);
    expect(reach(5, wordOf(0))).toBe(Transfer + 4 * Hop);
  });

  it('is about a line of 64 bytes and no other', () => {
    const reach = create();
    reach(0, 15);
    expect([reach(0, 0), reach(0, 16)]).toEqual([0, Transfer]);
  });
});

it('requests for one line are served one after the other', () => {
  const ram = [{ base: paddr(ORIGIN), bytes: 3 * PACKAGE_BYTES }];
  const coherence = new Coherence(ROW, 6, ORIGIN, ram);
  expect(coherence.reach(0, 0, Write, 1000)).toBe(1000 + Transfer);
  expect(coherence.reach(1, 0, Read, 1000)).toBe(1000 + 2 * Transfer);
  expect(coherence.reach(2, 0, Read, 1000)).toBe(1000 + 3 * Transfer + 2 * Hop);
  expect(coherence.reach(0, 16, Read, 1000)).toBe(1000 + Transfer);
});

it('a core that has run ahead is not seen earlier than it writes', () => {
  const ram = [{ base: paddr(ORIGIN), bytes: 3 * PACKAGE_BYTES }];
  const coherence = new Coherence(ROW, 2, ORIGIN, ram);
  coherence.reach(0, 0, Write, 0);
  expect(coherence.reach(0, 0, Write, 9000)).toBe(9000);
  expect(coherence.reach(1, 0, Read, 1000)).toBe(9000 + Transfer);
});

it('cores beyond the 32nd are told apart', () => {
  const ram = [{ base: paddr(ORIGIN), bytes: PACKAGE_BYTES }];
  const coherence = new Coherence(topologyOf(1, 64, []), 64, ORIGIN, ram);
  const at = (step: number): number => step * 10_000;
  for (const core of [0, 31, 32, 63]) {
    expect(coherence.reach(core, 0, Read, at(core))).toBe(at(core) + Transfer);
  }
  for (const core of [0, 31, 32, 63]) expect(coherence.reach(core, 0, Read, at(64))).toBe(at(64));
  expect(coherence.reach(63, 0, Write, at(65))).toBe(at(65) + Transfer);
  expect(coherence.reach(63, 0, Write, at(66))).toBe(at(66));
  expect(coherence.reach(31, 0, Read, at(67))).toBe(at(67) + Transfer);
});

it('refuses more cores than the topology has', () => {
  const ram = [{ base: paddr(ORIGIN), bytes: PACKAGE_BYTES }];
  expect(() => new Coherence(ROW, 7, ORIGIN, ram)).toThrow('the topology has not so many cores');
});

it(`charges what the model charges, whoever does what (seed ${SEED})`, () => {
  const topology = TOPOLOGIES['8x4']!;
  const wordsEach = PACKAGE_BYTES / 4;
  const ram = [{ base: paddr(ORIGIN), bytes: 8 * PACKAGE_BYTES }];
  const step = fc.record({
    core: fc.nat(31),
    home: fc.nat(7),
    word: fc.nat(40),
    access: fc.constantFrom(Read, Write),
    pause: fc.nat(600),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const coherence = new Coherence(topology, 32, ORIGIN, ram);
      const model = new CoherenceModel(topology, wordsEach);
      let now = 0;
      for (const { core, home, word, access, pause } of steps) {
        now += pause;
        const index = home * wordsEach + word;
        const end = coherence.reach(core, index, access, now);
        expect(end).toBe(model.reach(core, index, access, now));
      }
    }),
    { seed: SEED },
  );
});

import { describe, expect, test } from 'vitest';
import { createWalker } from '../src/index.ts';
import {
  type Fixture,
  loadTables,
  readFixtures,
  regsOf,
  storeWords,
  walkFor,
  wordsOf,
} from './fixture.ts';

const fixtures = readFixtures();

/** The probes that a walker answers otherwise than QEMU, with its answers. */
function disagreements(fixture: Fixture, mem = loadTables(fixture)): string[] {
  const walker = createWalker(mem, regsOf(fixture));
  return fixture.probes.flatMap((probe) => {
    const came = walkFor(walker, Number(fixture.root), probe);
    return came === probe ? [] : [`${came}, QEMU: ${probe}`];
  });
}

describe('the walker agrees with QEMU on', () => {
  test.each(fixtures)('$file: $about', (fixture) => {
    const mem = loadTables(fixture);
    expect(disagreements(fixture, mem)).toEqual([]);
    const expected = loadTables(fixture);
    storeWords(expected, fixture.changed);
    expect(wordsOf(mem)).toEqual(wordsOf(expected));
  });
});

describe('a corrupted table is noticed:', () => {
  const [fixture] = readFixtures('random-01') as [Fixture];

  /** `fixture` with the bits `mask` flipped in entry `index`, or in all. */
  function corrupted(mask: number, index?: number): Fixture {
    const words = fixture.words.map((line, i) => {
      const [address, value = ''] = line.split(' ');
      const isHit = index === undefined || index === i;
      const flipped = (Number(value) ^ (isHit ? mask : 0)) >>> 0;
      return `${address} 0x${flipped.toString(16)}`;
    });
    return { ...fixture, words };
  }

  test.each([
    ['bits 1:0', 3],
    ['the domain', 0x1e0],
    ['AP[2] of a small page', 0x200],
    ['AP[0] of a section', 0x400],
    ['AP[2] of a section', 0x8000],
    ['XN of a section', 0x10],
    ['the address', 0x100_0000],
  ])('%s', (_, mask) => {
    expect(disagreements(corrupted(mask))).not.toEqual([]);
  });

  test('many entries, one at a time', () => {
    const missed = fixture.words.filter((_, i) => disagreements(corrupted(3, i)).length === 0);
    // Supersections and large pages repeat an entry sixteen times, and few copies are probed.
    expect(missed.length).toBeLessThan((fixture.words.length * 4) / 5);
  });
});

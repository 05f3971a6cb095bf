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
    storeWords(expected, fixture.arch, fixture.changed);
    expect(wordsOf(mem, fixture.arch)).toEqual(wordsOf(expected, fixture.arch));
  });
});

/** `fixture` with the bits `mask` flipped in entry `index`, or in all. */
function corrupted(fixture: Fixture, mask: bigint, index?: number): Fixture {
  const words = fixture.words.map((line, i) => {
    const [address, value = ''] = line.split(' ');
    const flipped = index === undefined || index === i ? BigInt(value) ^ mask : BigInt(value);
    return `${address} 0x${flipped.toString(16)}`;
  });
  return { ...fixture, words };
}

describe.each(['i386', 'pae'])('%s: a corrupted table is noticed:', (name) => {
  const [fixture] = readFixtures(`${name}-random-02`) as [Fixture];

  test.each([
    ['P', 1n],
    ['RW', 2n],
    ['US', 4n],
    ['PS', 0x80n],
    ['the address', 0x1000n],
    ['bit 21', 0x20_0000n],
  ])('%s', (_, mask) => {
    expect(disagreements(corrupted(fixture, mask))).not.toEqual([]);
  });

  test('most entries, one at a time', () => {
    const missed = fixture.words.filter(
      (_, i) => disagreements(corrupted(fixture, 1n, i)).length === 0,
    );
    expect(missed.length).toBeLessThan(fixture.words.length / 4);
  });
});

test.each([
  ['a reserved bit', 1n << 45n],
  ['XD', 1n << 63n],
])('pae: so is %s', (_, mask) => {
  const [fixture] = readFixtures('pae-random-02') as [Fixture];
  expect(disagreements(corrupted(fixture, mask))).not.toEqual([]);
});

import { expect, test } from 'vitest';
import { createWalker } from '../src/index.ts';
import { buildTables } from './built-tables.ts';
import { readFixtures, regsOf, walkFor, wordsOf } from './fixture.ts';

const fixtures = readFixtures('built-');

/** `probe` with every fault reduced to the word. */
function plain(probe: string): string {
  const [how, va, came = ''] = probe.split(' ');
  return `${how} ${va} ${came.startsWith('0x') ? came : 'fault'}`;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('mappings translate as asked (seed %i)', (seed) => {
  const { mem, root, probes } = buildTables(seed);
  const walker = createWalker(mem);
  expect(probes.map((probe) => plain(walkFor(walker, root, probe)))).toEqual(probes);
});

test.each(fixtures)('QEMU reads the same tables as asked: $file', (fixture) => {
  const { mem, root, probes } = buildTables(Number(fixture.file.match(/\d+/)?.[0]));
  expect(wordsOf(mem)).toEqual(fixture.words);
  expect(fixture.probes.map(plain)).toEqual(probes);
  const walker = createWalker(mem, regsOf(fixture));
  expect(probes.map((probe) => walkFor(walker, root, probe))).toEqual(fixture.probes);
});

import { describe, expect, test } from 'vitest';
import { buildTables } from './built-tables.ts';
import { readFixtures, regsOf, walkFor, wordsOf } from './fixture.ts';
import { FORMATS } from './formats.ts';

/** `probe` with every fault reduced to the word. */
function plain(probe: string): string {
  const [how, va, came = ''] = probe.split(' ');
  return `${how} ${va} ${came.startsWith('0x') ? came : 'fault'}`;
}

describe.each(FORMATS)('$name', ({ name, paging }) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('mappings translate as asked (seed %i)', (seed) => {
    const { mem, root, probes } = buildTables(paging, seed);
    const walker = paging.createWalker(mem);
    expect(probes.map((probe) => plain(walkFor(walker, root, probe)))).toEqual(probes);
  });

  test.each(readFixtures(`${name}-built-`))(
    'QEMU reads the same tables as asked: $file',
    (fixture) => {
      const { mem, root, probes } = buildTables(
        paging,
        Number(fixture.file.match(/built-(\d+)/)?.[1]),
      );
      expect(wordsOf(mem, name)).toEqual(fixture.words);
      expect(fixture.probes.map(plain)).toEqual(probes);
      const walker = paging.createWalker(mem, regsOf(fixture));
      expect(probes.map((probe) => walkFor(walker, root, probe))).toEqual(fixture.probes);
    },
  );
});

/** The invariants of a map of pages as code; see page-map.ts. */

import type { BitSet } from './bit-set.ts';
import { FAN_BITS, type MaxTree } from './max-tree.ts';
import type { PageMap } from './page-map.ts';

/** What is wrong with `map`, one sentence each; empty when all is well. */
export function checkPageMap(map: PageMap): string[] {
  return [
    ...checkRuns(map),
    ...checkBits(map.starts),
    ...checkMaxima(map.lengths, 'lengths'),
    ...map.alignments.flatMap(({ alignPages, tree }) =>
      checkMaxima(tree, `places at ${alignPages}`),
    ),
    ...checkPlaces(map),
  ];
}

/** Runs tile the pages; their starts are known, and nothing else has a length. */
function checkRuns(map: PageMap): string[] {
  const wrong: string[] = [];
  let next = 0;
  for (let page = 0; page < map.pageCount; page++) {
    const length = map.lengthOf(page);
    const isStart = map.starts.has(page);
    if (isStart !== (page === next)) {
      wrong.push(`page ${page} ${isStart ? 'starts a run in another' : 'should start a run'}`);
    }
    if (!isStart && length !== 0) wrong.push(`page ${page} has a length and starts no run`);
    if (isStart) next = page + Math.abs(length);
  }
  if (next !== map.pageCount) wrong.push(`the last run ends at page ${next}`);
  return wrong;
}

/** Every level says which words below are not empty. */
function checkBits({ words, offsets }: BitSet): string[] {
  const wrong: string[] = [];
  for (let level = 1; level < offsets.length; level++) {
    const [below, begin] = [offsets[level - 1]!, offsets[level]!];
    for (let i = below; i < begin; i++) {
      const bit = (words[begin + ((i - below) >> 5)]! >>> ((i - below) & 31)) & 1;
      if ((bit === 1) !== (words[i] !== 0)) {
        wrong.push(`level ${level} of the starts is wrong at ${i - below}`);
      }
    }
  }
  return wrong;
}

/** Every level says the truth about the one below. */
function checkMaxima(tree: MaxTree, name: string): string[] {
  const wrong: string[] = [];
  for (let level = 1; level < tree.offsets.length; level++) {
    const begin = tree.offsets[level]!;
    const groups = (begin - tree.offsets[level - 1]!) >> FAN_BITS;
    for (let i = 0; i < groups; i++) {
      const expected = tree.greatestBelow(level, i);
      const found = tree.values[begin + i]!;
      if (found !== expected) {
        wrong.push(`level ${level} of the ${name} has ${found} at ${i}, not ${expected}`);
      }
    }
  }
  return wrong;
}

/** Each alignment knows the places that it would be given now. */
function checkPlaces(map: PageMap): string[] {
  const wrong: string[] = [];
  for (const { alignPages, tree } of map.alignments) {
    const expected = map.indexAlignment(alignPages).tree;
    for (const [place, rest] of expected.values.entries()) {
      const found = tree.values[place]!;
      if (found !== rest) wrong.push(`place ${place} at ${alignPages} has ${found}, not ${rest}`);
    }
  }
  return wrong;
}

/** The invariants of a map of pages as code; see page-map.ts. */

import { FAN_BITS, type PageMap } from './page-map.ts';

/** What is wrong with `map`, one sentence each; empty when all is well. */
export function checkPageMap(map: PageMap): string[] {
  return [...checkRuns(map), ...checkBest(map)];
}

/** Runs tile the pages, and the bits are where they start. */
function checkRuns(map: PageMap): string[] {
  const wrong: string[] = [];
  let next = 0;
  for (let page = 0; page < map.starts.length * 32; page++) {
    const isStart = ((map.starts[page >> 5]! >>> (page & 31)) & 1) === 1;
    if (isStart && page >= map.pageCount) wrong.push(`a run starts behind the end, at ${page}`);
    if (isStart !== (page === next) && page < map.pageCount) {
      wrong.push(`page ${page} ${isStart ? 'starts a run in another' : 'should start a run'}`);
    }
    if (isStart) next = page + Math.abs(map.lengths[page]!);
  }
  if (next !== map.pageCount) wrong.push(`the last run ends at page ${next}`);
  return wrong;
}

/** Every level says the truth about the one below. */
function checkBest(map: PageMap): string[] {
  const wrong: string[] = [];
  let count = map.starts.length;
  for (const [level, begin] of map.offsets.entries()) {
    for (let i = 0; i < count; i++) {
      const expected = level === 0 ? map.bestOfWord(i) : map.bestOfGroup(level, i);
      const found = map.best[begin + i]!;
      if (found !== expected) wrong.push(`level ${level} has ${found} at ${i}, not ${expected}`);
    }
    count = Math.ceil(count / 2 ** FAN_BITS);
  }
  return wrong;
}

/**
 * What draws the last row of the screen: the row that is not a line yet. A painter knows what
 * stands there and sends what makes it what it should be.
 */

import { addChar, type Cell } from './cell.ts';

/** What should stand in the last row. */
export interface Picture {
  readonly cells: readonly Cell[];
  /** How many of them are before the cursor. */
  readonly cursor: number;
}

export interface Painter {
  /** Make the last row look like `picture`. */
  paint(picture: Picture): void;
  /** Make room for whole lines: what is painted goes, or is left behind. */
  remove(): void;
  /** Make what is painted a line; the cursor goes to the next row. */
  leave(): void;
  /** Empty the screen, where this can be done. */
  clear(): void;
}

/** Nothing, which a row begins with. */
export const NO_PICTURE: Picture = { cells: [], cursor: 0 };

/** `lead` and then `chars`, with the cursor behind the first `cursor` of these. */
export function pictureOf(lead: string, chars: readonly string[], cursor: number): Picture {
  const cells: Cell[] = [];
  for (const char of lead) addChar(cells, char);
  let cellsBefore = cells.length;
  for (const [i, char] of chars.entries()) {
    addChar(cells, char);
    if (i < cursor) cellsBefore = cells.length;
  }
  return { cells, cursor: cellsBefore };
}

/** How many cells at the beginning are equal. */
export function countCommon(a: readonly Cell[], b: readonly Cell[]): number {
  const most = Math.min(a.length, b.length);
  let count = 0;
  while (count < most && a[count] === b[count]) count += 1;
  return count;
}

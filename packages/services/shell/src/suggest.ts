/** What somebody may have meant who has typed a name that does not exist. */

/** The candidate that is nearest to `typed`, of those that are near at all. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  let limit = typed.length < 4 ? 1 : 2;
  let found: string | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase());
    if (distance > limit) continue;
    found = candidate;
    limit = distance - 1;
  }
  return found;
}

/** `; did you mean 'help'?`, or what else to say if nothing is near. */
export function didYouMean(typed: string, candidates: Iterable<string>, otherwise: string): string {
  const found = nearest(typed, candidates);
  return found === undefined ? `; ${otherwise}` : `; did you mean '${found}'?`;
}

/**
 * How many characters must be inserted, removed, replaced or swapped with their neighbours.
 * Source: the optimal string alignment distance, Wagner and Fischer 1974 with transpositions.
 */
export function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      const replaced = (last[j - 1] ?? 0) + (isSame ? 0 : 1);
      let best = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[to.length] ?? 0;
}

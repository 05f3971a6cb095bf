/** Every kernel entry of a bench, checked. */

import { checkInvariants, EntryChecker } from '../src/index.ts';
import type { Bench } from './bench.ts';

/**
 * From now on compare the state before and after every kernel entry.
 * @param problems gets what is wrong; `where` says in which place
 * @param stride after so many entries that change something, the state itself is looked at
 */
export function watchEntries(
  bench: Bench,
  problems: string[],
  where: () => string,
  stride = 1,
): void {
  let changeCount = 0;
  let checker = new EntryChecker(bench.kernel);
  bench.beforeEntry = (kind) => {
    if (checker.kernel !== bench.kernel) checker = new EntryChecker(bench.kernel);
    checker.before(kind);
  };
  bench.afterEntry = () => {
    const found = checker.after();
    if (checker.hasChanged) changeCount += 1;
    if (checker.hasChanged && changeCount % stride === 0)
      found.push(...checkInvariants(bench.kernel));
    for (const problem of found) problems.push(`${where()}: ${problem}`);
  };
}

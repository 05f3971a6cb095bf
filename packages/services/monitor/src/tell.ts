/** Messages to other monitors that nobody waits for. */

import { type Os, OsError, type Wait } from '@barreleye/libos';

/** Have `step`, which says something to core `core`, done in a thread of its own. */
export function tellLater(os: Os, core: number, step: Wait<void>): void {
  os.spawnThread(`tells core ${core}`, ignoreErrors(step));
}

/** A core that ends meanwhile need not be told. */
function* ignoreErrors(step: Wait<void>): Wait<void> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
  }
}

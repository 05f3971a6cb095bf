/** Counts, a number each simulated second: something to run in the background, and to kill. */

import { program } from '@barreleye/program';
import { numberFrom } from './number-from.ts';

export const count = program('count', function* (os) {
  const last = numberFrom(os.args[1], 10);
  const { frequency } = yield* os.system.machine({}); // cycles of a second
  for (let i = 1; i <= last; i++) {
    yield* os.sleep(frequency);
    yield* os.printLine(`${i}`);
  }
});

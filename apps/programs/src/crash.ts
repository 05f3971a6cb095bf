/** Touches an address at which nothing is mapped. The domain dies, and the system goes on. */

import { program } from '@barreleye/program';

export const crash = program('crash', function* (os) {
  yield* os.printLine('crash: about to write to address 0');
  yield* os.store32(0, 42);
  yield* os.printLine('crash: this is never printed');
});

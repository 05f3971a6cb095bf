/** Takes memory until it gets no more: a domain has a quota, and harms nobody else. */

import { formatBytes } from '@barreleye/core';
import { OsError, unwrap } from '@barreleye/libos';
import { program } from '@barreleye/program';

const PIECE_BYTES = 2 ** 18;

export const hog = program('hog', function* (os) {
  yield* os.printLine('hog: takes all the memory that it can get');
  let takenBytes = 0;
  try {
    for (;;) {
      yield* os.memory.reserve(PIECE_BYTES); // asks init
      unwrap(os.memory.mm.alloc(PIECE_BYTES));
      takenBytes += PIECE_BYTES;
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    yield* os.printLine(`hog: has ${formatBytes(takenBytes)}, then: ${error.message}`);
  }
});

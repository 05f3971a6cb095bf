/** Two threads, each of which holds what the other waits for. The system finds out and says so. */

import { Mutex, type Wait } from '@barreleye/libos';
import { program } from '@barreleye/program';

export const deadlock = program('deadlock', function* (os) {
  const knife = new Mutex(os, 'knife');
  const fork = new Mutex(os, 'fork');

  function* eat(first: Mutex, second: Mutex): Wait<void> {
    yield* first.lock();
    yield* os.giveWay(); // the other one takes its first
    yield* second.lock();
    second.unlock();
    first.unlock();
  }

  yield* os.printLine('ann and bob sit down to eat');
  os.spawnThread('ann', eat(knife, fork));
  os.spawnThread('bob', eat(fork, knife));
});

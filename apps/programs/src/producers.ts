/**
 * Two cooks, two guests, and a table with three places. Semaphores count places and dishes, a mutex
 * guards the table, and the main thread waits for a condition: that all is eaten.
 */

import { Condition, Mutex, Semaphore, type Wait } from '@barreleye/libos';
import { program } from '@barreleye/program';

const COOKS = ['ann', 'bob'];
const GUESTS = ['eve', 'tom'];
const MENU = ['soup', 'fish', 'rice', 'cake'];

export const producers = program('producers', function* (os) {
  const places = new Semaphore(os, 'places', 3);
  const dishes = new Semaphore(os, 'dishes', 0);
  const guard = new Mutex(os, 'table');
  const allEaten = new Condition(os, 'all is eaten');
  const table: string[] = [];
  let left = COOKS.length * MENU.length;

  function* cook(name: string): Wait<void> {
    for (const dish of MENU) {
      yield* places.take(); // waits while the table is full
      yield* guard.lock();
      table.push(`the ${dish} of ${name}`);
      guard.unlock();
      dishes.post();
    }
  }

  function* eat(name: string): Wait<void> {
    for (let eaten = 0; eaten < MENU.length; eaten++) {
      yield* dishes.take(); // waits while the table is empty
      yield* guard.lock();
      yield* os.printLine(`${name} eats ${table.shift()}`);
      left -= 1;
      if (left === 0) allEaten.signal();
      guard.unlock();
      places.post();
    }
  }

  for (const name of COOKS) os.spawnThread(name, cook(name));
  for (const name of GUESTS) os.spawnThread(name, eat(name));
  yield* guard.lock();
  while (left > 0) yield* allEaten.wait(guard);
  guard.unlock();
  yield* os.printLine('all is eaten');
});

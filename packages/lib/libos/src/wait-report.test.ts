/** Deadlocks, and what is said about them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Domain } from '../test/domain.ts';
import { runUnder } from '../test/schedule.ts';
import { Barrier } from './barrier.ts';
import { Condition } from './condition.ts';
import { Mutex } from './mutex.ts';
import type { Os, Wait } from './os.ts';
import { Semaphore } from './semaphore.ts';
import { deferredEvent } from './timed-event.ts';
import { Waitset } from './waitset.ts';

/** Philosophers that all take their left fork first. */
function* dine(os: Os, count: number): Wait<void> {
  const forks = Array.from({ length: count }, (_, i) => new Mutex(os, `fork ${i}`));
  const table = new Barrier(os, 'table', count);
  for (const [i, left] of forks.entries()) {
    const right = forks[(i + 1) % count] ?? left;
    os.spawnThread(
      `p${i}`,
      (function* () {
        yield* left.lock();
        yield* table.arrive();
        yield* right.lock();
      })(),
    );
  }
  yield* os.giveWay();
}

describe('a deadlock', () => {
  it('of philosophers is reported: who waits for what and for whom, and the circle', () => {
    const domain = new Domain((os) => dine(os, 3));
    domain.run();
    expect(domain.deadlocks).toEqual([
      [
        '3 threads wait:',
        '  p0 waits for mutex fork 1, held by p1',
        '  p1 waits for mutex fork 2, held by p2',
        '  p2 waits for mutex fork 0, held by p0',
        '  in a circle: p0 -> p1 -> p2 -> p0',
      ].join('\n'),
    ]);
  });

  it('is also what nobody will signal, post or end, and a mutex that went with its owner', () => {
    const domain = new Domain(function* (os) {
      const mutex = new Mutex(os, 'lost');
      const own = new Mutex(os, 'own');
      yield* mutex.lock();
      os.spawnThread('m', mutex.lock());
      os.spawnThread('s', new Semaphore(os, 'zero', 0).take());
      os.spawnThread('b', new Barrier(os, 'two', 2).arrive());
      const w = os.spawnThread('w', new Waitset(os, 'quiet').dispatch());
      os.spawnThread('j', os.join(w));
      os.spawnThread(
        'c',
        (function* () {
          yield* own.lock();
          yield* new Condition(os, 'never').wait(own);
        })(),
      );
    });
    domain.run();
    expect(domain.deadlocks[0]?.split('\n')).toEqual([
      '6 threads wait:',
      '  m waits for mutex lost, held by main, which has ended',
      '  s waits for semaphore zero',
      '  b waits for barrier two',
      '  w waits for an event at quiet',
      '  j waits for the end of thread w',
      '  c waits for condition never',
    ]);
  });

  it('is not where the clock or a message may still help', () => {
    const domain = new Domain(function* (os) {
      const waitset = new Waitset(os, 'main');
      os.spawnThread('stuck', new Semaphore(os, 'zero', 0).take());
      deferredEvent(waitset, 100, () => undefined);
      yield* waitset.dispatch();
      const { buffer } = os.createEndpoint(8);
      buffer.received.register(waitset, () => undefined);
      yield* waitset.dispatch();
    });
    domain.run();
    expect(domain.deadlocks).toEqual([]);
    expect(domain.threadNames()).toEqual(['main', 'stuck']);
  });

  it('of some threads can be asked for while others go on', () => {
    runUnder([], function* (os) {
      os.spawnThread('table', dine(os, 2));
      for (let i = 0; i < 5; i++) yield* os.giveWay();
      const { cycles, waits } = os.reportWaits();
      expect(cycles).toEqual([['p0', 'p1']]);
      expect(waits.map(({ thread }) => thread)).toEqual(['p0', 'p1']);
    });
  });

  it('is found wherever the circles are (seed 59)', () => {
    const COUNT = 8;
    const edges = fc.array(fc.nat(COUNT), { minLength: COUNT, maxLength: COUNT });
    const property = fc.property(edges, (waitsFor) => {
      runUnder([], function* (os) {
        const mutexes = Array.from({ length: COUNT }, (_, i) => new Mutex(os, `${i}`));
        const all = new Barrier(os, 'all', COUNT);
        for (const [i, own] of mutexes.entries()) {
          const wanted = mutexes[waitsFor[i] ?? COUNT];
          os.spawnThread(
            `${i}`,
            (function* () {
              yield* own.lock();
              yield* all.arrive();
              if (wanted !== undefined && wanted !== own) yield* wanted.lock();
              else yield* os.sleep(1000);
            })(),
          );
        }
        for (let i = 0; i < 4; i++) yield* os.giveWay();
        const { cycles } = os.reportWaits();
        expect(cycles.flat().sort()).toEqual(threadsInCircles(waitsFor));
      });
    });
    fc.assert(property, { seed: 59, numRuns: 60 });
  });
});

/** Those that come back to themselves; who waits for itself or for nobody is in no circle. */
function threadsInCircles(waitsFor: readonly number[]): string[] {
  const comesBack = (start: number): boolean => {
    let at = start;
    for (let steps = 0; steps < waitsFor.length; steps++) {
      const next = waitsFor[at] ?? at;
      if (next === at || next === waitsFor.length) return false;
      at = next;
      if (at === start) return true;
    }
    return false;
  };
  return waitsFor.flatMap((_, i) => (comesBack(i) ? [`${i}`] : [])).sort();
}

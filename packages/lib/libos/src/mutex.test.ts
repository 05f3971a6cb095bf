/** Mutexes and conditions under random schedules. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runUnder, schedules } from '../test/schedule.ts';
import { Condition } from './condition.ts';
import { Mutex } from './mutex.ts';
import type { Os, Wait } from './os.ts';
import { SemaphoreModel } from './semaphore.model.ts';

describe('a mutex', () => {
  it('has one owner at a time, first come first served, and loses no wake-up (seed 54)', () => {
    const rounds = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });
    const property = fc.property(schedules, rounds, (schedule, counts) => {
      const model = new SemaphoreModel(1);
      let insideCount = 0;
      // biome-ignore lint/correctness/useYield: it does not wait
      const domain = runUnder(schedule, function* (os) {
        const mutex = new Mutex(os, 'table');
        function* worker(name: string, count: number): Wait<void> {
          for (let i = 0; i < count; i++) {
            model.ask(name);
            yield* mutex.lock();
            expect(model.noticed(name)).toBe(true);
            insideCount += 1;
            expect(mutex.holder?.name).toBe(name);
            yield* os.preempt();
            expect(insideCount).toBe(1);
            insideCount -= 1;
            model.post();
            mutex.unlock();
            yield* os.preempt();
          }
        }
        for (const [i, count] of counts.entries()) os.spawnThread(`t${i}`, worker(`t${i}`, count));
      });
      expect(domain.threadNames()).toEqual([]);
      expect(model.count).toBe(1);
    });
    fc.assert(property, { seed: 54, numRuns: 200 });
  });

  it('is unlocked by its owner, and not locked twice by it', () => {
    const domain = runUnder([], function* (os, { log }) {
      const mutex = new Mutex(os, 'table');
      expect(() => mutex.unlock()).toThrow('LIB_ERR_MUTEX_NOT_OWNER');
      yield* mutex.lock();
      expect(mutex.tryLock()).toBe(false);
      expect(() => mutex.lock().next()).toThrow('LIB_ERR_DEADLOCK');
      function* thief(): Wait<void> {
        expect(mutex.tryLock()).toBe(false);
        expect(() => mutex.unlock()).toThrow('LIB_ERR_MUTEX_NOT_OWNER');
        log.push('refused');
      }
      yield* os.join(os.spawnThread('thief', thief()));
      expect(mutex.holder).toBe(os.currentThread);
      mutex.unlock();
      expect(mutex.holder).toBeUndefined();
    });
    expect(domain.log).toEqual(['refused']);
  });

  it('says who waits for it, and for whom', () => {
    runUnder([], function* (os) {
      const mutex = new Mutex(os, 'table');
      yield* mutex.lock();
      const waiter = os.spawnThread('waiter', mutex.lock());
      yield* os.giveWay();
      expect(waiter.waitReason).toBe('waits for mutex table');
      expect(waiter.waitsFor?.holder).toBe(os.currentThread);
      mutex.unlock();
      expect(waiter.waitReason).toBe('');
    });
  });
});

/** A buffer with room for `room` numbers, the way it is done with conditions. */
class Buffer {
  readonly items: number[] = [];
  private readonly mutex: Mutex;
  private readonly notFull: Condition;
  private readonly notEmpty: Condition;
  private readonly room: number;

  constructor(os: Os, room: number) {
    this.mutex = new Mutex(os, 'buffer');
    this.notFull = new Condition(os, 'not full');
    this.notEmpty = new Condition(os, 'not empty');
    this.room = room;
  }

  *put(item: number): Wait<void> {
    yield* this.mutex.lock();
    while (this.items.length === this.room) yield* this.notFull.wait(this.mutex);
    this.items.push(item);
    this.notEmpty.signal();
    this.mutex.unlock();
  }

  *take(): Wait<number> {
    yield* this.mutex.lock();
    while (this.items.length === 0) yield* this.notEmpty.wait(this.mutex);
    const item = this.items.shift() ?? -1;
    this.notFull.signal();
    this.mutex.unlock();
    return item;
  }
}

describe('a condition', () => {
  it('carries every item from producers to consumers, once (seed 55)', () => {
    const some = fc.integer({ min: 1, max: 4 });
    const property = fc.property(schedules, some, some, some, (schedule, from, to, room) => {
      const each = 12; // a multiple of every number of consumers
      const taken: number[] = [];
      // biome-ignore lint/correctness/useYield: it does not wait
      const domain = runUnder(schedule, function* (os) {
        const buffer = new Buffer(os, room);
        function* produce(base: number): Wait<void> {
          for (let i = 0; i < each; i++) {
            yield* buffer.put(base + i);
            expect(buffer.items.length).toBeLessThanOrEqual(room);
            yield* os.preempt();
          }
        }
        function* consume(count: number): Wait<void> {
          for (let i = 0; i < count; i++) {
            taken.push(yield* buffer.take());
            yield* os.preempt();
          }
        }
        for (let i = 0; i < from; i++) os.spawnThread(`p${i}`, produce(100 * i));
        for (let i = 0; i < to; i++) os.spawnThread(`c${i}`, consume((from * each) / to));
      });
      expect(domain.threadNames()).toEqual([]);
      const all = Array.from({ length: from }, (_, p) => counting(100 * p, each)).flat();
      expect(taken.toSorted((a, b) => a - b)).toEqual(all);
    });
    fc.assert(property, { seed: 55, numRuns: 200 });
  });

  it('wakes the one that has waited longest, or all', () => {
    const domain = runUnder([], function* (os, { log }) {
      const mutex = new Mutex(os, 'm');
      const condition = new Condition(os, 'c');
      function* wait(name: string): Wait<void> {
        yield* mutex.lock();
        yield* condition.wait(mutex);
        log.push(name);
        expect(mutex.holder).toBe(os.currentThread);
        mutex.unlock();
      }
      for (const name of ['a', 'b', 'c', 'd']) os.spawnThread(name, wait(name));
      yield* os.giveWay();
      condition.signal();
      yield* os.giveWay();
      log.push('all');
      condition.broadcast();
      yield* os.giveWay();
      condition.signal(); // nobody hears it, and it is not kept
      yield* os.sleep(1);
    });
    expect(domain.log).toEqual(['a', 'all', 'b', 'c', 'd']);
    expect(domain.threadNames()).toEqual([]);
  });

  it('needs the mutex', () => {
    runUnder([], function* (os) {
      const waiting = new Condition(os, 'c').wait(new Mutex(os, 'm'));
      expect(() => waiting.next()).toThrow('LIB_ERR_MUTEX_NOT_OWNER');
      yield* os.giveWay();
    });
  });
});

function counting(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

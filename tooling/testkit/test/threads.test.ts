/** Threads, locks, events and deaths of a domain on whole machines. */

import {
  Barrier,
  Condition,
  capCopy,
  capDelete,
  DeadlockError,
  deferredEvent,
  Mutex,
  type Os,
  periodicEvent,
  program,
  Semaphore,
  ThreadLocal,
  UncaughtError,
  unwrap,
  type Wait,
  Waitset,
} from '@barreleye/libos';
import { errName } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { boot, checkEveryEntry, runFirstDomain, TARGETS, withProgram } from '../src/index.ts';

/** Longer than a time slice, so that threads are pre-empted in the middle of what they do. */
const WORK_CYCLES = 20_000_000;

/** Compute for `WORK_CYCLES`, at points of pre-emption. */
function* work(os: Os): Wait<void> {
  const end = os.now() + WORK_CYCLES;
  while (os.now() < end) {
    os.sys.cpu.spend(1_000_000);
    yield* os.preempt();
  }
}

describe.each(TARGETS)('$name', (target) => {
  test('threads that are pre-empted keep what is theirs (acceptance test 29)', () => {
    const ends: string[] = [];
    runFirstDomain(target, function* ({ os }) {
      const own = new ThreadLocal(os, () => 37);
      const other = new ThreadLocal(os, () => 42);
      function* count(rounds: number): Wait<string> {
        for (let i = 0; i < rounds; i++) {
          own.value += 1;
          other.value += 1;
          yield* work(os);
        }
        return `${own.value} ${other.value}`;
      }
      const threads = [1, 2, 3].map((n) => os.spawnThread(`t${n}`, count(n)));
      for (const thread of threads) ends.push(String(yield* os.join(thread)));
      expect(os.events.entryCount).toBeGreaterThanOrEqual(3); // the kernel has taken the core away
    });
    expect(ends).toEqual(['38 43', '39 44', '40 45']);
  });

  test('producers and consumers meet at mutex, conditions, semaphore and barrier', () => {
    const taken: number[] = [];
    runFirstDomain(target, function* ({ os }) {
      const mutex = new Mutex(os, 'items');
      const notEmpty = new Condition(os, 'not empty');
      const room = new Semaphore(os, 'room', 2);
      const end = new Barrier(os, 'end', 5);
      const items: number[] = [];
      function* produce(base: number): Wait<void> {
        for (let i = 0; i < 5; i++) {
          yield* room.take();
          yield* mutex.lock();
          items.push(base + i);
          expect(items.length).toBeLessThanOrEqual(2);
          notEmpty.signal();
          mutex.unlock();
          yield* work(os);
        }
        yield* end.arrive();
      }
      function* consume(): Wait<void> {
        for (let i = 0; i < 5; i++) {
          yield* mutex.lock();
          while (items.length === 0) yield* notEmpty.wait(mutex);
          taken.push(items.shift() ?? -1);
          yield* work(os); // with the mutex
          mutex.unlock();
          room.post();
        }
        yield* end.arrive();
      }
      for (const base of [0, 100]) {
        os.spawnThread(`producer ${base}`, produce(base));
        os.spawnThread(`consumer ${base}`, consume());
      }
      yield* end.arrive();
    });
    expect(taken.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 100, 101, 102, 103, 104]);
  });

  test('timed events are not early, end at their limits, and can be cancelled', () => {
    const counts = [0, 0, 0];
    let times = 0;
    runFirstDomain(
      target,
      function* ({ os }) {
        const waitset = new Waitset(os, 'clock');
        const start = os.now();
        for (const [i, cycles] of [11_000, 450_000, 900_000].entries()) {
          const event = periodicEvent(waitset, cycles, () => {
            const count = (counts[i] ?? 0) + 1;
            counts[i] = count;
            expect(os.now()).toBeGreaterThanOrEqual(start + count * cycles);
            if (count === 20) event.cancel();
            return undefined;
          });
        }
        deferredEvent(waitset, 100_000, () => {
          times += 1;
          return undefined;
        });
        for (let i = 0; i < 61; i++) yield* waitset.dispatch();
        expect(os.now() - start).toBeLessThan(20 * 900_000 + 200_000);
        yield* os.sleep(1_000_000);
        expect(waitset.pendingCount).toBe(0);
      },
      { wrapDriver: checkEveryEntry },
    );
    expect([...counts, times]).toEqual([20, 20, 20, 1]);
  });

  test('an endpoint ends with its copies, and 1,000 of them in turn leave no trace', () => {
    const offsets = new Set<number>();
    runFirstDomain(target, function* ({ os }) {
      const before = os.slots.freeCount;
      for (let i = 0; i < 1000; i++) {
        const endpoint = os.createEndpoint(16);
        const copy = unwrap(capCopy(os.sys, os.allocSlot(), endpoint.cap));
        offsets.add(endpoint.buffer.offset);
        os.destroyEndpoint(endpoint);
        expect(errName(capDelete(os.sys, copy))).toBe('LIB_ERR_CAP_DELETE');
        os.check(os.slots.free(copy));
        yield* os.preempt();
      }
      expect(os.slots.freeCount).toBe(before);
    });
    expect(offsets.size).toBe(1);
  });

  test('a fault that nobody serves ends the domain with a report, and not the machine', () => {
    const main = program('careless', (os) => os.store32(0x38000000, 1));
    const { machine } = boot(withProgram(target, main), { wrapDriver: checkEveryEntry });
    expect(machine.run(1e9).kind).toBe('idle');
    const [failure, ...others] = machine.programFailures;
    expect(others).toEqual([]);
    expect(failure?.program).toBe('careless');
    expect(failure?.error).toBeInstanceOf(UncaughtError);
    expect(String(failure?.error)).toMatch(
      /thread main: PageFaultError: page fault: write at 0x3800_?0000 /,
    );
  });

  test('a deadlock ends the domain with a report, and not the machine', () => {
    const main = program('stuck', function* (os) {
      const [a, b] = [new Mutex(os, 'a'), new Mutex(os, 'b')];
      function* lockBoth(): Wait<void> {
        yield* b.lock();
        yield* a.lock();
      }
      yield* a.lock();
      os.spawnThread('other', lockBoth());
      yield* os.giveWay();
      yield* b.lock();
    });
    const { machine } = boot(withProgram(target, main), { wrapDriver: checkEveryEntry });
    expect(machine.run(1e9).kind).toBe('idle');
    const error = machine.programFailures[0]?.error;
    expect(error).toBeInstanceOf(DeadlockError);
    expect(String(error)).toContain('in a circle: main -> other -> main');
  });
});

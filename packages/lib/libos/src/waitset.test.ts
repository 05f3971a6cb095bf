/** Waitsets, event sources and timed events. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Domain } from '../test/domain.ts';
import { runUnder, schedules } from '../test/schedule.ts';
import { EventSource } from './event-source.ts';
import type { Os, Wait } from './os.ts';
import { SendRetry } from './send-retry.ts';
import { deferredEvent, periodicEvent } from './timed-event.ts';
import { type Handler, Waitset } from './waitset.ts';

/** Dispatch `count` events. */
function* dispatch(waitset: Waitset, count: number): Wait<void> {
  for (let i = 0; i < count; i++) yield* waitset.dispatch();
}

/** Sources that are ready when their flag says so. */
function source(os: Os, watch: 'message' | 'poll', flag: { isReady: boolean }): EventSource {
  return new EventSource(os.events, { label: 'a flag', watch, isReady: () => flag.isReady });
}

describe('a waitset', () => {
  it('hands out events in the order in which they happened, by dispatch or tryDispatch', () => {
    const domain = runUnder([], function* (os, { log }) {
      const waitset = new Waitset(os, 'main');
      const note =
        (line: string): Handler =>
        () =>
          void log.push(line);
      expect(waitset.tryDispatch()).toBe(false);
      for (const line of ['a', 'b', 'c']) waitset.post(note(line));
      expect(waitset.pendingCount).toBe(3);
      yield* waitset.dispatch();
      expect(waitset.tryDispatch()).toBe(true);
      yield* waitset.dispatch();
      expect(waitset.pendingCount).toBe(0);
    });
    expect(domain.log).toEqual(['a', 'b', 'c']);
  });

  it('gives each event to one thread and loses none under any schedule (seed 58)', () => {
    const few = fc.integer({ min: 1, max: 4 });
    const property = fc.property(schedules, few, few, (schedule, threads, posters) => {
      const each = 12; // a multiple of every number of threads
      const handled: number[] = [];
      const domain = runUnder(schedule, function* (os) {
        const waitset = new Waitset(os, 'work');
        function* post(first: number): Wait<void> {
          for (let i = first; i < first + each; i++) {
            waitset.post(() => void handled.push(i));
            yield* os.preempt();
          }
        }
        for (let i = 0; i < threads; i++) {
          os.spawnThread(`t${i}`, dispatch(waitset, (posters * each) / threads));
        }
        for (let i = 0; i < posters; i++) os.spawnThread(`p${i}`, post(100 * i));
      });
      expect(domain.threadNames()).toEqual([]);
      for (let i = 0; i < posters; i++) {
        const own = handled.filter((n) => Math.floor(n / 100) === i);
        expect(own).toEqual(Array.from({ length: each }, (_, n) => 100 * i + n));
      }
    });
    fc.assert(property, { seed: 58, numRuns: 150 });
  });

  it('lets a handler wait in the thread that dispatches while others go on dispatching', () => {
    const domain = runUnder([], function* (os, { log }) {
      const waitset = new Waitset(os, 'main');
      waitset.post(function* () {
        log.push('slow begins');
        yield* os.sleep(100);
        log.push('slow ends');
      });
      waitset.post(() => void log.push('fast'));
      os.spawnThread('second', waitset.dispatch());
      yield* waitset.dispatch();
    });
    expect(domain.log).toEqual(['slow begins', 'fast', 'slow ends']);
  });

  it('gives a handler that waits a thread of its own when tryDispatch meets it', () => {
    const domain = runUnder([], function* (os, { log }) {
      const waitset = new Waitset(os, 'main');
      waitset.post(function* () {
        yield* os.sleep(100);
        log.push('slow ends');
      });
      expect(waitset.tryDispatch()).toBe(true);
      log.push('goes on');
      yield* os.giveWay();
    });
    expect(domain.log).toEqual(['goes on', 'slow ends']);
  });

  it('is left usable by a handler that throws', () => {
    const domain = new Domain(function* (os, { log }) {
      const waitset = new Waitset(os, 'main');
      waitset.post(() => {
        throw new Error('oh');
      });
      waitset.post(() => void log.push('next'));
      os.spawnThread('unlucky', waitset.dispatch());
      yield* os.giveWay();
      yield* waitset.dispatch();
    });
    domain.run();
    expect([domain.deaths, domain.log]).toEqual([['unlucky: oh'], ['next']]);
  });
});

describe('an event source', () => {
  it.each(['message', 'poll'] as const)('of kind %s fires at once when it is ready', (watch) => {
    const domain = runUnder([], function* (os, { log }) {
      const waitset = new Waitset(os, 'main');
      const ready = source(os, watch, { isReady: true });
      yield* ready.wait();
      ready.register(waitset, () => void log.push('handled'));
      expect(waitset.tryDispatch()).toBe(true);
      ready.whenReady({ ready: () => void log.push('told') });
      expect(waitset.tryDispatch()).toBe(false); // a registration is good for one event
    });
    expect(domain.log).toEqual(['handled', 'told']);
    expect(domain.wakeups).toEqual([0]);
  });

  it('that is polled keeps the dispatcher runnable while somebody waits, and not longer', () => {
    const flag = { isReady: false };
    const domain = new Domain(function* (os) {
      yield* source(os, 'poll', flag).wait();
    });
    for (let i = 0; i < 5; i++) domain.step();
    expect([domain.isAsleep, domain.threadNames()]).toEqual([false, ['main']]);
    flag.isReady = true;
    domain.run();
    expect([domain.isAsleep, domain.threadNames()]).toEqual([true, []]);
  });

  it('tells all threads and the handler; who comes late waits on', () => {
    const flag = { isReady: false };
    const domain = new Domain(function* (os, { log }) {
      const waitset = new Waitset(os, 'main');
      const messages = source(os, 'message', flag);
      function* take(name: string): Wait<void> {
        yield* messages.wait();
        flag.isReady = false;
        log.push(name);
      }
      for (const name of ['a', 'b']) os.spawnThread(name, take(name));
      messages.register(waitset, () => void log.push('handler'));
      yield* waitset.dispatch();
    });
    domain.run();
    expect(domain.log).toEqual([]);
    for (let i = 0; i < 2; i++) {
      flag.isReady = true;
      domain.announce(1);
      domain.run();
    }
    expect(domain.log).toEqual(['a', 'handler', 'b']);
  });

  it('takes one handler at a time, and forgets it also when it is ready', () => {
    const domain = runUnder([], function* (os, { log }) {
      const waitset = new Waitset(os, 'main');
      const flag = { isReady: false };
      const polled = source(os, 'poll', flag);
      const note =
        (line: string): Handler =>
        () =>
          void log.push(line);
      polled.register(waitset, note('never'));
      expect(() => polled.register(waitset, note('too many'))).toThrow(
        'LIB_ERR_CHAN_ALREADY_REGISTERED',
      );
      expect([polled.deregister(), polled.deregister()]).toEqual([true, false]);
      polled.register(waitset, note('never'));
      flag.isReady = true;
      yield* os.sleep(10);
      expect(waitset.pendingCount).toBe(1);
      expect([polled.deregister(), waitset.pendingCount]).toEqual([true, 0]);
      polled.register(waitset, note('handled'));
      yield* waitset.dispatch();
      expect(polled.deregister()).toBe(false);
    });
    expect(domain.log).toEqual(['handled']);
  });
});

describe('a send that was refused', () => {
  it('is worth another try when the domain has been without the core, and not before', () => {
    const domain = new Domain(function* (os, { log }) {
      const retry = new SendRetry(os.events, 'room');
      function* send(): Wait<void> {
        for (let i = 0; i < 3; i++) {
          retry.refused();
          log.push(`refused at entry ${os.events.entryCount}`);
          yield* retry.source.wait();
        }
      }
      os.spawnThread('sender', send());
      yield* os.giveWay();
      yield* os.giveWay(); // all in one entry of the dispatcher
      log.push('main');
    });
    domain.run();
    expect(domain.log).toEqual([
      'refused at entry 0',
      'main',
      'refused at entry 1',
      'refused at entry 2',
    ]);
    expect(domain.threadNames()).toEqual([]);
  });
});

describe('timed events (acceptance test 31)', () => {
  it('happen once, and not early', () => {
    const domain = runUnder([], function* (os, { log }) {
      const waitset = new Waitset(os, 'clock');
      const start = os.now();
      for (const cycles of [500, 100, 300]) {
        deferredEvent(waitset, cycles, () => {
          expect(os.now() - start).toBeGreaterThanOrEqual(cycles);
          log.push(`${cycles}`);
          return undefined;
        });
      }
      yield* dispatch(waitset, 3);
      yield* os.sleep(5000);
      expect(waitset.pendingCount).toBe(0);
    });
    expect(domain.log).toEqual(['100', '300', '500']);
  });

  it('happen again and again, without drift, until they are cancelled', () => {
    const counts = new Map<number, number>();
    runUnder([], function* (os) {
      const waitset = new Waitset(os, 'clock');
      const start = os.now();
      const limits = [
        [11, 90],
        [450, 20],
        [900, 10],
      ] as const;
      for (const [cycles, limit] of limits) {
        const event = periodicEvent(waitset, cycles, () => {
          const count = (counts.get(cycles) ?? 0) + 1;
          counts.set(cycles, count);
          expect(os.now() - start).toBeGreaterThanOrEqual(count * cycles);
          if (count === limit) expect(event.cancel()).toBe(true);
          return undefined;
        });
      }
      yield* dispatch(waitset, 120);
      expect(os.now() - start).toBeLessThan(9000 + 100);
      expect(os.scheduler.timers.length).toBe(0);
    });
    expect([...counts]).toEqual([
      [11, 90],
      [450, 20],
      [900, 10],
    ]);
  });

  it('that nobody handles in time count once', () => {
    runUnder([], function* (os) {
      const waitset = new Waitset(os, 'clock');
      const event = periodicEvent(waitset, 100, () => undefined);
      yield* os.sleep(1050);
      expect(waitset.pendingCount).toBe(1);
      yield* waitset.dispatch();
      const before = os.now();
      yield* waitset.dispatch();
      expect(os.now() - before).toBeLessThanOrEqual(100);
      event.cancel();
    });
  });

  it('catch up in one step, however late the domain gets the core', () => {
    runUnder([], function* (os) {
      const waitset = new Waitset(os, 'clock');
      const event = periodicEvent(waitset, 1, () => undefined);
      os.sys.cpu.spend(2 ** 48);
      yield* waitset.dispatch();
      expect(os.now() - 2 ** 48).toBeLessThan(100);
      event.cancel();
    });
  });

  it('can be cancelled before, when they are due, and not afterwards', () => {
    runUnder([], function* (os) {
      const waitset = new Waitset(os, 'clock');
      const early = deferredEvent(waitset, 100, () => undefined);
      expect([early.cancel(), early.cancel()]).toEqual([true, false]);
      const due = deferredEvent(waitset, 100, () => undefined);
      yield* os.sleep(200);
      expect(waitset.pendingCount).toBe(1);
      expect([due.cancel(), due.cancel(), waitset.pendingCount]).toEqual([true, false, 0]);
      const handled = deferredEvent(waitset, 100, () => undefined);
      yield* waitset.dispatch();
      expect(handled.cancel()).toBe(false);
    });
  });
});

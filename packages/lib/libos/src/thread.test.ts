/** Threads as programs use them: exit, detach, thread-local storage, bare yields. */

import { describe, expect, it } from 'vitest';
import { Domain } from '../test/domain.ts';
import type { Os, Wait } from './os.ts';
import { ThreadLocal } from './thread-local.ts';

/** Run `main` until nothing is left to do; what its threads logged. No thread may die. */
function run(main: (os: Os, log: string[]) => Wait<unknown>): string[] {
  const domain = new Domain((os, { log }) => main(os, log));
  domain.run();
  expect(domain.deaths).toEqual([]);
  expect(domain.threadNames()).toEqual([]);
  return domain.log;
}

/** What `act` throws, in words. */
function* caught(act: () => Wait<unknown>): Wait<string> {
  try {
    yield* act();
    return 'nothing';
  } catch (error) {
    return String(error);
  }
}

describe('exitThread', () => {
  it('ends a thread from any depth with a value; finally runs, catch does not', () => {
    const log = run(function* (os, lines) {
      function* deep(): Wait<void> {
        try {
          yield* os.exitThread(42);
          lines.push('not reached');
        } catch {
          lines.push('not caught');
        } finally {
          lines.push('cleaned up');
          yield* os.sleep(10);
          lines.push('not resumed');
        }
      }
      function* body(): Wait<string> {
        yield* deep();
        return 'not returned';
      }
      const thread = os.spawnThread('leaver', body());
      lines.push(`joined ${yield* os.join(thread)}`);
    });
    expect(log).toEqual(['cleaned up', 'joined 42']);
  });

  it('from a page-fault handler ends the faulting thread', () => {
    const log = run(function* (os, lines) {
      os.onPageFault(function* () {
        return yield* os.exitThread('gave up');
      });
      const thread = os.spawnThread('faulting', os.load32(16));
      lines.push(`joined ${yield* os.join(thread)}`);
    });
    expect(log).toEqual(['fault at 16', 'joined gave up']);
  });
});

describe('a bare yield', () => {
  it('lets the others run and comes back', () => {
    const log = run(function* (os, lines) {
      function* talk(name: string): Wait<void> {
        for (const i of [0, 1]) {
          lines.push(`${name}${i}`);
          yield;
        }
      }
      os.spawnThread('a', talk('a'));
      yield* talk('b');
    });
    expect(log.join(' ')).toBe('b0 a0 b1 a1');
  });
});

describe('detach', () => {
  it('makes join an error, before and after the end of the thread', () => {
    const log = run(function* (os, lines) {
      const thread = os.spawnThread('alone', os.giveWay());
      os.detach(thread);
      lines.push(yield* caught(() => os.join(thread)));
      while (thread.state !== 'done') yield* os.giveWay();
      lines.push(yield* caught(() => os.join(thread)));
      expect(thread.outcome).toBeUndefined();
      expect(() => os.detach(thread)).toThrow('LIB_ERR_THREAD_DETACHED');
    });
    expect(log).toHaveLength(2);
    for (const line of log) expect(line).toContain('LIB_ERR_THREAD_DETACHED');
  });

  it('is refused while somebody waits for the thread', () => {
    const log = run(function* (os, lines) {
      const thread = os.spawnThread('worker', os.sleep(100));
      const joiner = os.spawnThread('joiner', os.join(thread));
      yield* os.giveWay();
      expect(joiner.waitReason).toBe('waits for the end of thread worker');
      expect(() => os.detach(thread)).toThrow('LIB_ERR_THREAD_JOINED');
      yield* os.join(thread);
      lines.push('done');
    });
    expect(log).toEqual(['done']);
  });
});

it('a thread that joins itself is told', () => {
  const log = run(function* (os, lines) {
    lines.push(yield* caught(() => os.join(os.currentThread)));
  });
  expect(log[0]).toContain('LIB_ERR_DEADLOCK');
});

it('a thread may throw undefined, and join throws it', () => {
  const domain = new Domain(function* (os, { log }) {
    // biome-ignore lint/correctness/useYield: it does not wait
    function* body(): Wait<void> {
      throw undefined;
    }
    log.push(yield* caught(() => os.join(os.spawnThread('odd', body()))));
  });
  domain.run();
  expect(domain.log).toEqual(['undefined']);
});

describe('thread-local storage', () => {
  it('gives three threads private copies of 37 and 42 (acceptance test 29)', () => {
    const log = run(function* (os, lines) {
      const own = new ThreadLocal(os, () => 37);
      const other = new ThreadLocal(os, () => 42);
      function* count(rounds: number): Wait<void> {
        for (let i = 0; i < rounds; i++) {
          own.value += 1;
          other.value += 2;
          yield* os.giveWay();
        }
        lines.push(`${own.value} ${other.value}`);
      }
      for (const rounds of [1, 5, 9]) os.spawnThread(`t${rounds}`, count(rounds));
      yield* os.sleep(1000);
      lines.push(`${own.value} ${other.value}`);
    });
    expect(log).toEqual(['38 44', '42 52', '46 60', '37 42']);
  });

  it('keeps undefined as a value, and makes each first value once a thread', () => {
    run(function* (os) {
      let made = 0;
      const local = new ThreadLocal<number | undefined>(os, () => {
        made += 1;
        return 5;
      });
      local.value = undefined;
      yield* os.giveWay();
      expect([local.value, made]).toEqual([undefined, 0]);
    });
  });
});

/** The dispatcher: turns, joins, sleep, faults, under a kernel driven by hand. */

import { asPaddr, isOk } from '@barreleye/core';
import {
  archArmv7,
  archX86_64,
  DISPATCHER_FRAME_BYTES,
  DISPATCHER_SHARED_BYTES,
  DispatcherFrame,
  endpointBufferBytes,
  Gate,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Domain } from '../test/domain.ts';
import { Dispatcher } from './dispatcher.ts';
import { HandCpu } from './hand-cpu.ts';
import type { Os, Wait } from './os.ts';
import { BusError, PageFaultError } from './os-error.ts';

/** A thread that says its name `count` times and lets others run in between. */
function* talk(os: Os, { log }: Domain, name: string, count: number): Wait<void> {
  for (let i = 0; i < count; i++) {
    log.push(`${name}${i}`);
    yield* os.giveWay();
  }
}

describe.each([archX86_64, archArmv7])('a dispatcher on $name', (arch) => {
  it('starts its first thread with the argument page that the kernel passed', () => {
    const seen: number[] = [];
    // biome-ignore lint/correctness/useYield: it does not wait
    const domain = new Domain(function* (os, _, argPage) {
      seen.push(argPage, os.sys.frame);
    }, arch);
    domain.run();
    expect(seen).toEqual([0x100_0000, arch.dispatcherBase]);
  });

  it('tells the kernel its entry points when it starts', () => {
    const domain = new Domain(function* (os) {
      yield* os.sleep(1);
    }, arch);
    domain.step();
    const { mem, gateAddress } = { mem: domain.cpu.mem, gateAddress: domain.cpu.gateAddress };
    const entries = [
      [DispatcherFrame.runEntry, Gate.Run],
      [DispatcherFrame.lrpcEntry, Gate.Lrpc],
      [DispatcherFrame.pagefaultEntry, Gate.PageFault],
      [DispatcherFrame.pagefaultDisabledEntry, Gate.PageFaultDisabled],
      [DispatcherFrame.trapEntry, Gate.Trap],
    ] as const;
    for (const [field, gate] of entries) {
      expect(field.get(mem, domain.frame)).toBe(gateAddress.call(domain.cpu, gate));
    }
  });

  it('throws a page fault into the thread that caused it, with address, access and code', () => {
    const caught: unknown[] = [];
    const domain = new Domain(function* (os) {
      try {
        yield* os.store32(0x10, 1);
      } catch (error) {
        caught.push(error);
      }
    }, arch);
    domain.run();
    expect(caught).toEqual([new PageFaultError({ address: 0x10, access: 1, code: 4 })]);
    expect(domain.deaths).toEqual([]);
  });
});

describe('threads', () => {
  it('take turns, first come first served', () => {
    const domain = new Domain(function* (os, d) {
      for (const name of ['a', 'b', 'c']) os.spawnThread(name, talk(os, d, name, 3));
      yield* os.giveWay();
    });
    domain.run();
    expect(domain.log.join(' ')).toBe('a0 b0 c0 a1 b1 c1 a2 b2 c2');
  });

  it('run enabled, and the dispatcher itself runs disabled', () => {
    const seen: boolean[] = [];
    const domain = new Domain(function* (os, d) {
      seen.push(d.isDisabled);
      yield* os.giveWay();
      seen.push(d.isDisabled);
    });
    domain.run(); // the kernel of the test refuses a yield while enabled
    expect(seen).toEqual([false, false]);
    expect(domain.isDisabled).toBe(true);
  });

  it('lose their turn when the core is taken away, and go on later where they were', () => {
    const domain = new Domain(function* (os, d) {
      os.spawnThread('other', talk(os, d, 'other', 2));
      d.cpu.onPoll = () => {
        d.cpu.onPoll = () => undefined;
        d.preempt();
      };
      d.log.push('before');
      yield* os.preempt();
      d.log.push('after');
    });
    domain.run();
    expect(domain.log.join(' ')).toBe('before other0 after other1');
  });

  it('keep their turn when the host only pauses the machine', () => {
    const domain = new Domain(function* (os, d) {
      os.spawnThread('other', talk(os, d, 'other', 1));
      d.cpu.onPoll = () => {
        d.cpu.onPoll = () => undefined;
        d.pause();
      };
      yield* os.preempt();
      d.log.push('main');
    });
    domain.run();
    expect(domain.log.join(' ')).toBe('main other0');
  });

  it('that only give way to each other can still be pre-empted', () => {
    let pollCount = 0;
    const domain = new Domain(function* (os, d) {
      d.cpu.onPoll = () => {
        pollCount += 1;
      };
      os.spawnThread('a', talk(os, d, 'a', 10));
      yield* talk(os, d, 'b', 10);
    });
    domain.run();
    expect(pollCount).toBeGreaterThanOrEqual(20);
  });

  it('that end while the core is taken away end once, with their own result', () => {
    for (const take of ['preempt', 'pause'] as const) {
      const results: unknown[] = [];
      const domain = new Domain(function* (os, d) {
        const hasty = (function* () {
          d.cpu.onPoll = () => {
            d.cpu.onPoll = () => undefined;
            d[take]();
          };
          os.sys.cpu.poll();
          return 'done';
        })();
        const thread = os.spawnThread('hasty', hasty);
        yield* os.giveWay();
        results.push(yield* os.join(thread));
      });
      domain.run();
      expect(results).toEqual(['done']);
      expect([domain.deaths, domain.threadNames()]).toEqual([[], []]);
    }
  });
});

describe('join', () => {
  it('waits for a thread and returns what it returned', () => {
    const results: unknown[] = [];
    const domain = new Domain(function* (os, d) {
      const thread = os.spawnThread(
        'worker',
        (function* () {
          yield* talk(os, d, 'w', 2);
          return 42;
        })(),
      );
      d.log.push('join');
      results.push(yield* os.join(thread));
      results.push(yield* os.join(thread)); // a thread that is done can be joined again
    });
    domain.run();
    expect(results).toEqual([42, 42]);
    expect(domain.log.join(' ')).toBe('join w0 w1');
  });

  it('throws what the thread died of, to everyone who waits', () => {
    const domain = new Domain(function* (os, d) {
      const thread = os.spawnThread(
        'worker',
        (function* () {
          yield* os.giveWay();
          throw new Error('worn out');
        })(),
      );
      for (const name of ['a', 'b']) {
        os.spawnThread(
          name,
          (function* () {
            try {
              yield* os.join(thread);
            } catch (error) {
              d.log.push(`${name}: ${error}`);
            }
          })(),
        );
      }
      yield* os.giveWay();
    });
    domain.run();
    expect(domain.log).toEqual(['a: Error: worn out', 'b: Error: worn out']);
    expect(domain.deaths).toEqual(['worker: worn out']);
  });
});

describe('sleep', () => {
  function* nap(os: Os, domain: Domain, name: string, cycles: number): Wait<void> {
    const wakeAt = os.now() + cycles;
    yield* os.sleep(cycles);
    expect(os.now()).toBeGreaterThanOrEqual(wakeAt);
    domain.log.push(name);
  }

  it('gives the core back until the earliest deadline', () => {
    const domain = new Domain(function* (os, d) {
      os.spawnThread('late', nap(os, d, 'late', 2 ** 40));
      os.spawnThread('early', nap(os, d, 'early', 100));
      yield* os.giveWay();
    });
    domain.run();
    expect(domain.log).toEqual(['early', 'late']);
    expect(domain.wakeups).toEqual([100, 2 ** 40, 0]);
  });

  it('ends in the order of the deadlines, also when all have passed', () => {
    const domain = new Domain(function* (os, d) {
      for (const cycles of [300, 100, 400, 200]) {
        os.spawnThread(`${cycles}`, nap(os, d, `${cycles}`, cycles));
      }
      yield* os.giveWay();
      d.cpu.onPoll = () => {
        d.cpu.onPoll = () => undefined;
        d.preempt();
      };
      os.sys.cpu.spend(1000); // longer than anybody sleeps
      yield* os.preempt();
    });
    domain.run();
    expect(domain.log).toEqual(['100', '200', '300', '400']);
  });

  it('ends at a switch between threads, also while others keep the core', () => {
    const domain = new Domain(function* (os, d) {
      os.spawnThread('sleeper', nap(os, d, 'sleeper', 100));
      yield* os.giveWay();
      for (let i = 0; i < 3; i++) {
        os.sys.cpu.spend(60);
        yield* os.giveWay();
        d.log.push(`main ${i}`);
      }
    });
    domain.run();
    expect(domain.log).toEqual(['main 0', 'main 1', 'sleeper', 'main 2']);
    expect(domain.wakeups).toEqual([0]);
  });

  it('ends in the order of the calls where deadlines are equal', () => {
    const domain = new Domain(function* (os, d) {
      for (const name of ['a', 'b', 'c']) os.spawnThread(name, nap(os, d, name, 50));
      yield* os.giveWay();
    });
    domain.run();
    expect(domain.log).toEqual(['a', 'b', 'c']);
  });

  it('lasts at least a cycle', () => {
    const domain = new Domain(function* (os, d) {
      for (const cycles of [0, -5]) yield* nap(os, d, 'awake', cycles);
    });
    domain.run();
    expect(domain.wakeups[0]).toBe(1);
    expect(domain.log.length).toBe(2);
  });
});

describe('an exception', () => {
  it('that nobody catches ends its thread and no other', () => {
    const domain = new Domain(function* (os, d) {
      os.spawnThread('other', talk(os, d, 'other', 3));
      yield* os.giveWay();
      throw new Error('oh');
    });
    domain.run();
    expect(domain.deaths).toEqual(['main: oh']);
    expect(domain.log.join(' ')).toBe('other0 other1 other2');
    expect(domain.threadNames()).toEqual([]);
  });

  it('for a fault goes to the faulting thread, which can go on', () => {
    const domain = new Domain(function* (os, d) {
      os.spawnThread('other', talk(os, d, 'other', 1));
      try {
        yield* os.load32(0x10);
      } catch (error) {
        d.log.push(String(error));
      }
      yield* os.load32(0x20);
    });
    domain.run();
    expect(domain.log).toEqual([
      'fault at 16',
      'PageFaultError: page fault: read at 0x10 (code 0x4)',
      'fault at 32',
      'other0',
    ]);
    expect(domain.deaths).toEqual(['main: page fault: read at 0x20 (code 0x4)']);
  });

  it('for a trap is a bus error', () => {
    const caught: unknown[] = [];
    const domain = new Domain(function* (os, d) {
      d.cpu.onPoll = () => {
        d.cpu.onPoll = () => undefined;
        d.cpu.leave();
        d.enterNext(Gate.Trap);
      };
      try {
        yield* os.preempt();
      } catch (error) {
        caught.push(error);
      }
    });
    domain.run();
    expect(caught).toHaveLength(1);
    expect(caught[0]).toBeInstanceOf(BusError);
  });

  it('is not made of a fault of the dispatcher itself: that is the end of the domain', () => {
    const domain = new Domain(function* (os, d) {
      d.cpu.onPoll = () => {
        d.cpu.leave();
        d.enterNext(Gate.PageFaultDisabled);
      };
      yield* talk(os, d, 'main', 5);
    });
    for (let i = 0; i < 4; i++) domain.step(); // the kernel gives up on it after a few tries
    expect(domain.log).toEqual(['main0', ...Array(3).fill('fault at 0 while disabled')]);
  });
});

describe('receive buffers', () => {
  function create(): Dispatcher {
    const cpu = new HandCpu(archX86_64);
    const main = {
      start: () => (function* () {})(),
      threadDied: () => undefined,
      deadlocked: () => undefined,
    };
    const dispatcher = new Dispatcher(cpu, main);
    cpu.onSyscall = () => cpu.leave();
    cpu.enter(dispatcher, Gate.Start);
    cpu.hold();
    return dispatcher;
  }

  it('lie one behind the other after the part that the kernel shares', () => {
    const dispatcher = create();
    const [a, b] = [dispatcher.createEndpointBuffer(8), dispatcher.createEndpointBuffer(3)];
    expect(a?.offset).toBe(DISPATCHER_SHARED_BYTES);
    expect(b?.offset).toBe(DISPATCHER_SHARED_BYTES + endpointBufferBytes(8));
    expect([a?.ringWords, b?.ringWords]).toEqual([8, 3]);
  });

  it('end with the frame', () => {
    const dispatcher = create();
    const room = DISPATCHER_FRAME_BYTES - DISPATCHER_SHARED_BYTES - endpointBufferBytes(0);
    expect(dispatcher.createEndpointBuffer(room / 8 + 1)).toBeUndefined();
    expect(dispatcher.createEndpointBuffer(room / 8)?.offset).toBe(DISPATCHER_SHARED_BYTES);
    expect(dispatcher.createEndpointBuffer(1)).toBeUndefined();
  });
});

it('nothing is left to do: the dispatcher asks for no wake-up and claims no work', () => {
  const domain = new Domain(function* (os) {
    yield* os.giveWay();
  });
  DispatcherFrame.haswork.set(domain.cpu.mem, domain.frame, 1);
  domain.run();
  expect(domain.wakeups).toEqual([0]);
  expect(DispatcherFrame.haswork.get(domain.cpu.mem, domain.frame)).toBe(0);
  expect(domain.cpu.mem.load32(asPaddr(domain.frame + DispatcherFrame.disabled.offset))).toBe(1);
  expect(isOk(domain.answer())).toBe(true);
});

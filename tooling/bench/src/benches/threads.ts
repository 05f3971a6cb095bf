/**
 * Threads of a domain on a booted machine: what a switch, a wake-up and a lock cost, and the same
 * with 100,000 threads alive. Beside it the bare generators that threads are made of, resumed in
 * turn by a loop: the same host work without a scheduler.
 */
import type { System } from '@barreleye/boot';
import { Mutex, type Os, program, Semaphore, type Wait } from '@barreleye/libos';
import type { Bench, Gauge, Trial } from '../bench.ts';
import { bootPrograms } from '../boot-programs.ts';
import { keeping } from '../sides.ts';

/** Cycles that the machine runs in one round. */
const ROUND_CYCLES = 1e6;
const MANY = 100_000;
const FOREVER = 2 ** 50;

export const benches: readonly Bench[] = [
  switching('thread switch', 2),
  switching('thread switch at 1e5', MANY),
  {
    name: 'thread wake-up (semaphore)',
    unit: 'ns/op',
    baselineName: 'generator resume',
    setup: () => trial(gauge(pingPong), resuming(2)),
  },
  {
    name: 'mutex lock+unlock, free',
    unit: 'ns/op',
    baselineName: 'generator resume',
    setup: () => trial(gauge(lockFree), resuming(2)),
  },
  {
    name: 'thread create+join',
    unit: 'ns/op',
    baselineName: 'generator create+end',
    setup: () => trial(gauge(createAndJoin), creating()),
  },
  {
    name: 'live thread',
    unit: 'B/op',
    baselineName: 'suspended generator',
    nodeFlags: ['--expose-gc'],
    setup: () => trial(keepingThreads(), keepingGenerators()),
  },
];

/** What a round has done so far. */
interface Count {
  done: number;
}

type Main = (os: Os, count: Count) => Wait<void>;

function trial(subject: Gauge, baseline: Gauge): Trial {
  return { subject, baseline, operations: 1 };
}

function switching(name: string, threads: number): Bench {
  const setup = (): Trial =>
    trial(
      gauge((os, count) => turns(os, count, threads)),
      resuming(threads),
    );
  return { name, unit: 'ns/op', baselineName: 'generator resume', setup };
}

/** Nanoseconds for each operation that `main` counts. */
function gauge(main: Main): Gauge {
  const count: Count = { done: 0 };
  const system = boot((os) => main(os, count));
  run(system, 1); // until its threads are there
  const round = (): number => {
    const before = count.done;
    const start = performance.now();
    run(system, ROUND_CYCLES);
    return ((performance.now() - start) * 1e6) / (count.done - before);
  };
  return { round };
}

function boot(main: (os: Os) => Wait<void>): System {
  const made = program('threads', main);
  return bootPrograms([made]);
}

function run({ machine }: System, cycles: number): void {
  machine.run(cycles);
  const [failure] = machine.programFailures;
  if (failure !== undefined) throw failure.error;
}

/** `threads` threads give way to each other for ever. */
function* turns(os: Os, count: Count, threads: number): Wait<void> {
  function* turn(): Wait<void> {
    for (;;) {
      count.done += 1;
      yield* os.giveWay();
    }
  }
  for (let i = 1; i < threads; i++) os.spawnThread('turn', turn());
  yield* turn();
}

/** Two threads wake each other for ever. */
function* pingPong(os: Os, count: Count): Wait<void> {
  const [ping, pong] = [new Semaphore(os, 'ping', 0), new Semaphore(os, 'pong', 0)];
  function* play(own: Semaphore, other: Semaphore): Wait<void> {
    for (;;) {
      yield* own.take();
      count.done += 1;
      other.post();
    }
  }
  os.spawnThread('pong', play(pong, ping));
  ping.post();
  yield* play(ping, pong);
}

/** One thread takes a mutex that nobody else wants: a plain call first. */
function* lockFree(os: Os, count: Count): Wait<void> {
  const mutex = new Mutex(os, 'free');
  for (;;) {
    for (let i = 0; i < 100; i++) {
      if (!mutex.tryLock()) yield* mutex.lock();
      count.done += 1;
      mutex.unlock();
    }
    os.sys.cpu.spend(1000);
    yield* os.preempt();
  }
}

function* createAndJoin(os: Os, count: Count): Wait<void> {
  for (;;) {
    yield* os.join(os.spawnThread('short', empty()));
    count.done += 1;
  }
}

function* empty(): Wait<void> {}

function* forever(): Generator<void, void, void> {
  for (;;) yield;
}

/** Resumes `count` generators in turn. */
function resuming(count: number): Gauge {
  const generators = Array.from({ length: count }, forever);
  const times = Math.max(1, Math.round(MANY / count));
  const round = (): number => {
    const start = performance.now();
    for (let i = 0; i < times; i++) for (const generator of generators) generator.next();
    return ((performance.now() - start) * 1e6) / (times * count);
  };
  return { round };
}

function creating(): Gauge {
  const round = (): number => {
    const start = performance.now();
    for (let i = 0; i < MANY; i++) empty().next();
    return ((performance.now() - start) * 1e6) / MANY;
  };
  return { round };
}

/** Bytes of the heap for each of 100,000 threads that wait. */
function keepingThreads(): Gauge {
  let system: System | undefined;
  function* main(os: Os): Wait<void> {
    const never = new Semaphore(os, 'never', 0);
    for (let i = 0; i < MANY; i++) os.spawnThread('waiter', never.take());
    yield* os.sleep(FOREVER);
  }
  return keeping({
    before: () => {
      system = boot(main);
    },
    call: () => {
      if (system !== undefined) run(system, FOREVER / 2);
    },
    operations: MANY,
    times: 1,
  });
}

function keepingGenerators(): Gauge {
  let kept: Generator[] = [];
  return keeping({
    before: () => {
      kept = [];
    },
    call: () => {
      for (let i = 0; i < MANY; i++) {
        const generator = forever();
        generator.next();
        kept.push(generator);
      }
    },
    operations: MANY,
    times: 1,
  });
}

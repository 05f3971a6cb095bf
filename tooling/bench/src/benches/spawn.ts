/**
 * The life of a domain on a booted system: asked for, made, run to its `main`, ended, taken apart,
 * and its end told to whoever waits. Beside it the two things of the host that begin and end like
 * that: a worker, and a process. And how often the kernel is entered for it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { System } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { createInit } from '@barreleye/init';
import type { Wait } from '@barreleye/libos';
import { nameservice } from '@barreleye/nameservice';
import { type AppProgram, type ProgramOs, program } from '@barreleye/program';
import { Kcb } from '@barreleye/spec';
import { terminal } from '@barreleye/terminal';
import type { Bench, Trial } from '../bench.ts';
import { bootPrograms } from '../boot-programs.ts';

const LIVES = 20;
const RAM_BYTES = 64 * 2 ** 20;

export const benches: readonly Bench[] = [
  {
    name: 'domain: spawn to reaped',
    unit: 'us/op',
    baselineName: 'Worker: start to exit',
    setup: () => trial(() => runWorker()),
  },
  {
    name: 'domain: spawn to reaped, process',
    unit: 'us/op',
    baselineName: 'process: spawn to exit',
    setup: () => trial(() => runProcess()),
  },
  {
    name: 'domain: kernel entries from spawn to reaped',
    unit: 'entries/op',
    baselineName: 'of a call that does nothing',
    setup: countEntries,
  },
];

/** Lives of domains, one after the other, whenever somebody asks for some. */
class Lives {
  readonly system: System;
  private wanted: number;
  private what: (os: ProgramOs) => Wait<unknown>;

  constructor() {
    this.wanted = 0;
    this.what = live;
    const nothing = program('nothing', function* () {
      yield* [];
    });
    const keeper = program('shell', (os) => this.keep(os));
    this.system = boot([nameservice, terminal, keeper, nothing]);
    this.run(1, live);
  }

  /** Do something `count` times in the domain that keeps the others. */
  run(count: number, what: (os: ProgramOs) => Wait<unknown>): void {
    this.wanted = count;
    this.what = what;
    while (this.wanted > 0) this.system.machine.run(1e6);
  }

  get kernelEntries(): number {
    const { mem, kcb } = this.system.driver.kernel;
    return Kcb.kernelEntries.get(mem, kcb);
  }

  private *keep(os: ProgramOs): Wait<void> {
    for (;;) {
      if (this.wanted > 0) {
        yield* this.what(os);
        this.wanted -= 1;
      } else {
        yield* os.sleep(1e6);
      }
    }
  }
}

function* live(os: ProgramOs): Wait<void> {
  const request = { program: 'nothing', args: [], environment: [], caps: [] };
  const { domain } = yield* os.system.spawn(request);
  yield* os.system.wait({ domain });
  os.drop(domain);
}

function* call(os: ProgramOs): Wait<void> {
  yield* os.system.memory({});
}

function boot(programs: readonly AppProgram[]): System {
  const { paging } = targetX86_64;
  const linked = programs.map((each) => each.link({ paging }));
  return bootPrograms([createInit({ paging }), ...linked], RAM_BYTES);
}

function trial(baseline: () => Promise<number>): Trial {
  const lives = new Lives();
  return {
    operations: 1,
    rounds: 10,
    subject: {
      round: () => {
        const start = performance.now();
        lives.run(LIVES, live);
        return ((performance.now() - start) * 1e6) / LIVES;
      },
    },
    baseline: { round: baseline },
  };
}

/** @returns nanoseconds */
async function runWorker(): Promise<number> {
  const start = performance.now();
  await once(new Worker('', { eval: true }), 'exit');
  return (performance.now() - start) * 1e6;
}

/** @returns nanoseconds */
async function runProcess(): Promise<number> {
  const start = performance.now();
  await once(spawn(process.execPath, ['-e', '']), 'exit');
  return (performance.now() - start) * 1e6;
}

function countEntries(): Trial {
  const lives = new Lives();
  const entries = (what: (os: ProgramOs) => Wait<unknown>) => (): number => {
    const before = lives.kernelEntries;
    lives.run(LIVES, what);
    return (lives.kernelEntries - before) / LIVES;
  };
  return {
    operations: 1,
    rounds: 3,
    subject: { round: entries(live) },
    baseline: { round: entries(call) },
  };
}

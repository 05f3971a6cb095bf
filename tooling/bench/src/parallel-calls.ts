/**
 * A booted system on threads whose shell measures: calls on its own core and to another, and lives
 * of domains on either. The main thread asks for a round, and reads what it took, in shared memory.
 */
import { Worker } from 'node:worker_threads';
import { bootParallel, parseMenu, type Target, withPrograms } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { never } from '@barreleye/core';
import { createInit } from '@barreleye/init';
import type { Wait } from '@barreleye/libos';
import { nodeThread } from '@barreleye/machine-threads';
import { nameservice } from '@barreleye/nameservice';
import { type ProgramOs, program } from '@barreleye/program';
import { type Client, call, defineInterface } from '@barreleye/rpc';
import { terminal } from '@barreleye/terminal';

const RAM_BYTES = 256 * 2 ** 20;
const QUOTA_BYTES = 2 * 2 ** 20;
/** What the shell is given: the authority over all domains. */
const AUTHORITY_CAP = 1;
/** Calls, and all else, of a round. */
const CALLS = 500;
const LIVES = 3;
/** Cycles between two looks whether somebody wants a round: a millisecond. */
const LOOK_CYCLES = 1e6;
/** Words of the memory that is shared with the main thread; the result follows. */
const WANTED = 0;
const RESULT_AT = 8;
const SHARED_BYTES = 16;
const IDLE = -1;
const POLL_MS = 1;

/** What can be measured, from core 0. */
export const ROUNDS = [
  'near call',
  'far call',
  'near life',
  'far life',
  'replacement',
  'restart',
] as const;
export type RoundName = (typeof ROUNDS)[number];

const Null = defineInterface('null', { nothing: call({}, {}) });
type NullClient = Client<typeof Null.methods>;

/** The target of the bench, as the threads of all cores have it. */
export function callsTarget(shared: SharedArrayBuffer): Target {
  const { paging } = targetX86_64;
  const others = [nameservice, terminal, createShell(shared), server, crowd(shared), nothing];
  const linked = others.map((each) => each.link({ paging }));
  return withPrograms(targetX86_64, [createInit({ paging }), ...linked]);
}

const server = program('server', function* (os) {
  yield* os.names.serve(`null/${os.coreId}`, Null, { nothing: () => ({}) });
});

const nothing = program('nothing', function* () {
  yield* [];
});

/** Calls the next core while somebody measures. */
const crowd = (shared: SharedArrayBuffer) =>
  program('crowd', function* (os) {
    const cells = new Int32Array(shared);
    const client = yield* os.names.connect(`null/${os.coreId + 1}`, Null, true);
    for (;;) {
      if (Atomics.load(cells, WANTED) === IDLE) yield* os.sleep(LOOK_CYCLES);
      else yield* client.nothing({});
    }
  });

const createShell = (shared: SharedArrayBuffer) =>
  program('shell', function* (os) {
    const cells = new Int32Array(shared);
    const result = new Float64Array(shared, RESULT_AT, 1);
    const { coreCount } = yield* os.system.machine({});
    for (let core = 0; core < coreCount; core++) yield* start(os, core, 'server');
    // Cores that are not measured are busy, too.
    for (let core = 2; core + 1 < coreCount; core += 2) yield* start(os, core, 'crowd');
    const near = yield* os.names.connect('null/0', Null, true);
    const far = yield* os.names.connect('null/1', Null, true);
    for (;;) {
      const wanted = ROUNDS[Atomics.load(cells, WANTED)];
      if (wanted === undefined) {
        yield* os.sleep(LOOK_CYCLES);
        continue;
      }
      result[0] = yield* round(os, wanted, near, far);
      Atomics.store(cells, WANTED, IDLE);
    }
  });

/** @returns nanoseconds of one */
function* round(os: ProgramOs, name: RoundName, near: NullClient, far: NullClient): Wait<number> {
  const count = name.endsWith('call') ? CALLS : LIVES;
  const start = performance.now();
  for (let i = 0; i < count; i++) yield* once(os, name, near, far);
  return ((performance.now() - start) * 1e6) / count;
}

function* once(os: ProgramOs, name: RoundName, near: NullClient, far: NullClient): Wait<void> {
  const order = { core: 1, authority: os.argCap<'ProcessManager'>(AUTHORITY_CAP) };
  switch (name) {
    case 'near call':
      yield* near.nothing({});
      return;
    case 'far call':
      yield* far.nothing({});
      return;
    case 'near life':
      yield* live(os, 0);
      return;
    case 'far life':
      yield* live(os, 1);
      return;
    case 'replacement':
      yield* os.system.replaceCore(order);
      return;
    case 'restart':
      yield* os.system.stopCore(order);
      yield* os.system.startCore(order);
      return;
    default:
      never(name);
  }
}

function* start(os: ProgramOs, core: number, name: string) {
  const wish = { core, program: name, args: [], environment: [], caps: [] };
  return yield* os.system.spawn({ ...wish, quotaBytes: QUOTA_BYTES });
}

/** From the wish for a domain until its end is known. */
function* live(os: ProgramOs, core: number): Wait<void> {
  const { domain } = yield* start(os, core, 'nothing');
  yield* os.system.wait({ domain });
  os.drop(domain);
}

/** The system, as the main thread has it. */
export class ParallelCalls {
  private readonly cells: Int32Array;
  private readonly result: Float64Array;
  private readonly stop: () => unknown;
  private shown: string;

  constructor(coreCount: number) {
    const shared = new SharedArrayBuffer(SHARED_BYTES);
    this.cells = new Int32Array(shared);
    this.result = new Float64Array(shared, RESULT_AT, 1);
    this.cells[WANTED] = IDLE;
    const target = callsTarget(shared);
    const parsed = parseMenu(target.menu, 'menu.lst');
    if (!parsed.ok) throw new Error(parsed.message);
    const booted = bootParallel({
      ...{ target, menu: parsed.menu, coreCount, ramBytes: RAM_BYTES, seed: 1, app: shared },
      createThread: () =>
        nodeThread(new Worker(new URL('./parallel-core-worker.ts', import.meta.url))),
    });
    if (!booted.ok) throw new Error(booted.message);
    const { machine } = booted.system;
    this.shown = '';
    machine.transmit = (bytes) => {
      this.shown += new TextDecoder().decode(bytes);
    };
    this.stop = () => machine.stop();
  }

  /** Nanoseconds of one, in the mean of a round. */
  async round(name: RoundName): Promise<number> {
    Atomics.store(this.cells, WANTED, ROUNDS.indexOf(name));
    while (Atomics.load(this.cells, WANTED) !== IDLE) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (this.shown !== '') throw new Error(this.shown); // nobody has anything to say but init
    }
    return this.result[0] ?? 0;
  }

  close(): void {
    this.stop();
  }
}

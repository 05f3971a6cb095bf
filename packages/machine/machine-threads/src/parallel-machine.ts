/**
 * A machine whose cores run in parallel, each in a thread of its own. The main thread, which is
 * where this is, has no core: it makes threads, carries input and output, and is told what fails.
 * So it is never busy, and may be one that must not wait, as that of a page.
 */

import {
  asPaddr,
  assert,
  type CoreId,
  coreId,
  never,
  type Paddr,
  type PhysMem,
} from '@barreleye/core';
import {
  type Board,
  type Bus,
  createBus,
  memoryBytes,
  type ProgramFailure,
} from '@barreleye/machine';
import { ControlBlock, controlBytes } from './control-block.ts';
import { hostMs } from './host-clock.ts';
import { CoreFailure, type MachineEnd } from './machine-end.ts';
import { type CoreMessage, type ErrorText, errorOf, errorText } from './messages.ts';
import { CoreState } from './shared-core.ts';
import { allocateShared } from './shared-memory.ts';
import type { CoreThread } from './threads.ts';

/** Cores of a machine at most: each is a thread with a heap of its own. */
export const MAX_PARALLEL_CORES = 16;

export interface ParallelOptions {
  readonly board: Board;
  readonly ramBytes: number;
  readonly coreCount: number;
  /** Makes the thread of a core, which is to call `runCore`. */
  readonly createThread: () => CoreThread;
  /** For the app in the threads of cores: anything that can be cloned. */
  readonly app?: unknown;
}

/** What all cores do. Two with equal numbers: nothing has happened between. */
export interface Activity {
  /** Whether every core sleeps or is off. */
  readonly isAsleep: boolean;
  /** Whether the thread of one is about to begin, which takes as long as it takes. */
  readonly isStarting: boolean;
  /** Whether a timer will wake one. */
  readonly isTimerArmed: boolean;
  /** How often cores have woken, and how much was shown and typed. */
  readonly eventCount: number;
}

export class ParallelMachine {
  readonly board: Board;
  readonly bus: Bus;
  readonly mem: PhysMem;
  readonly coreCount: number;
  /** Called with what is shown. */
  transmit: (bytes: Uint8Array) => void;
  /** Programs that broke, in order. The machine goes on without them. */
  readonly programFailures: ProgramFailure[];
  /** Cores that did not come up, in order. The machine goes on without them. */
  readonly lostCores: CoreFailure[];
  /** Settled when all threads have ended. */
  readonly ended: Promise<MachineEnd>;
  private readonly options: ParallelOptions;
  private readonly memory: SharedArrayBuffer;
  private readonly controlMemory: SharedArrayBuffer;
  private readonly control: ControlBlock;
  /** The thread of each core, unless it could not be made; and those that are not loaded yet. */
  private readonly threads: Map<CoreId, CoreThread>;
  private readonly loading: Set<CoreId>;
  private page: Paddr;
  /** When the clock began to run. */
  private epochMs: number;
  /** What was typed and does not fit the ring yet. */
  private readonly backlog: Uint8Array[];
  private ioCount: number;
  private isOver: boolean;
  private settle: (end: MachineEnd) => void;

  /** Throws where threads cannot share memory. */
  constructor(options: ParallelOptions) {
    const { board, ramBytes, coreCount } = options;
    assert(coreCount >= 1, 'a machine needs a core');
    assert(coreCount <= MAX_PARALLEL_CORES, 'more cores than a parallel machine has');
    this.board = board;
    this.memory = allocateShared(memoryBytes(board, ramBytes));
    this.bus = createBus(board, ramBytes, this.memory);
    this.mem = this.bus.mem;
    this.coreCount = coreCount;
    this.transmit = () => undefined;
    this.programFailures = [];
    this.lostCores = [];
    this.options = options;
    this.controlMemory = allocateShared(controlBytes(coreCount));
    this.control = new ControlBlock(this.controlMemory, coreCount);
    this.threads = new Map();
    this.loading = new Set();
    this.page = asPaddr(0);
    this.epochMs = 0;
    this.backlog = [];
    this.ioCount = 0;
    this.isOver = false;
    this.settle = () => undefined;
    this.ended = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /**
   * Make all threads, and then power the bootstrap core on, which finds what to do in the page at
   * `page`. So no time passes in the machine while threads are made.
   */
  start(page: Paddr): void {
    assert(this.control.cores[0]?.claim() === true, 'the machine is on already');
    this.page = page;
    const ids = this.control.cores.map((_, i) => coreId(i));
    for (const id of ids) this.loading.add(id);
    for (const id of ids) this.createThread(id);
  }

  /** Type. Never waits, however much it is. */
  type(bytes: Uint8Array): void {
    this.ioCount += 1;
    this.backlog.push(bytes);
    this.feed();
  }

  /** Turn it off from outside, whatever it does. */
  stop(): Promise<MachineEnd> {
    this.end({ kind: 'stopped' });
    return this.ended;
  }

  /** The core furthest in time says how late it is. */
  get cycles(): number {
    return Math.max(...this.control.cores.map((core) => core.cycles));
  }

  activity(): Activity {
    const states = this.control.cores.map((core) => core.state);
    const wakeCount = this.control.cores.reduce((sum, core) => sum + core.wakeCount, 0);
    const { Asleep, Dozing, Off, Halted, Starting } = CoreState;
    const isSleep = (state: CoreState): boolean =>
      state === Asleep || state === Dozing || state === Off || state === Halted;
    return {
      isAsleep: !this.isOver && this.backlog.length === 0 && states.every(isSleep),
      isStarting: states.includes(Starting),
      isTimerArmed: states.includes(Dozing),
      eventCount: wakeCount + this.ioCount,
    };
  }

  private createThread(id: CoreId): void {
    try {
      const thread = this.options.createThread();
      this.threads.set(id, thread);
      thread.onMessage((message) => this.hear(id, message));
      thread.onError((error) => this.threadDied(id, errorText(error)));
    } catch (error) {
      this.threadDied(id, errorText(error));
    }
  }

  /** The thread of a core is there, or will never be. When all are, the machine begins. */
  private loaded(id: CoreId): void {
    const isLast = this.loading.delete(id) && this.loading.size === 0;
    if (!isLast || this.isOver) return;
    this.epochMs = hostMs();
    this.begin(coreId(0), this.page, 0);
  }

  private begin(id: CoreId, page: Paddr, startCycles: number): void {
    const { ramBytes, coreCount, app } = this.options;
    const { memory, controlMemory: control, epochMs } = this;
    this.threads.get(id)?.begin({
      ...{ coreId: id, coreCount, ramBytes, memory, control, epochMs, startCycles, page, app },
    });
  }

  private hear(id: CoreId, message: CoreMessage): void {
    if (this.isOver) return;
    switch (message.kind) {
      case 'output':
        this.ioCount += 1;
        this.transmit(message.bytes);
        return;
      case 'loaded':
        this.loaded(id);
        return;
      case 'start':
        this.begin(message.core, message.page, message.at);
        return;
      case 'room':
        this.feed();
        return;
      case 'broken':
        this.programFailures.push({ ...message, coreId: id, error: errorOf(message.error) });
        return;
      case 'lost':
        this.coreLost(id, message.error);
        return;
      case 'failed':
        this.end({ kind: 'failed', failure: new CoreFailure(id, message.error) });
        return;
      case 'off':
        this.end(message);
        return;
      default:
        never(message);
    }
  }

  /** A core whose thread dies before it has begun does not come up; later it is a bug. */
  private threadDied(id: CoreId, error: ErrorText): void {
    const state = this.control.cores[id]?.state;
    if (state === CoreState.Halted || this.isOver) return; // it is known already
    const hasBegun = state !== CoreState.Off && state !== CoreState.Starting;
    if (hasBegun) this.end({ kind: 'failed', failure: new CoreFailure(id, error) });
    else this.coreLost(id, error);
  }

  private coreLost(id: CoreId, error: ErrorText): void {
    const failure = new CoreFailure(id, error);
    this.control.cores[id]?.halt();
    this.lostCores.push(failure);
    if (id === 0) this.end({ kind: 'failed', failure }); // there is nobody else
    this.loaded(id);
  }

  /** Put into the ring what fits. */
  private feed(): void {
    const { backlog, control } = this;
    for (let [first] = backlog; first !== undefined; [first] = backlog) {
      const count = control.input.put(first);
      if (count < first.length) {
        backlog[0] = first.subarray(count);
        break;
      }
      backlog.shift();
    }
    control.cores[0]?.ring();
  }

  private end(end: MachineEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    const gone = Promise.all([...this.threads.values()].map((thread) => thread.terminate()));
    void gone.then(() => this.settle(end));
  }
}

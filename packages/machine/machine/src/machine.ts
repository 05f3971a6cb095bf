/**
 * A whole machine: a board with its RAM, cores and devices, and the deterministic host `sim` that
 * runs its cores in one thread and in virtual time. Same seed, same run, byte for byte.
 */

import { assert, type CoreId, coreId, never, type PhysMem, Prng } from '@barreleye/core';
import type { Topology } from '@barreleye/spec';
import type { Board } from './board.ts';
import type { Bus } from './bus.ts';
import { Coherence } from './coherence.ts';
import { type Core, CoreMode } from './core.ts';
import { DistanceCost } from './costs.ts';
import { InterruptFlights } from './interrupt-flights.ts';
import {
  attachDevices,
  type Console,
  type CoreParts,
  CoreUnit,
  createBus,
  type DriverLoader,
  type Firmware,
} from './parts.ts';
import type { ProgramFailure } from './program-engine.ts';

export interface MachineOptions extends CoreParts {
  readonly ramBytes: number;
  readonly coreCount: number;
  readonly seed: number;
  /** Charge for the way between cores; without it they are all equally near, and it is free. */
  readonly topology?: Topology | undefined;
}

/** Why `run` came back. */
export type RunOutcome =
  | { readonly kind: 'off'; readonly exitCode: number } // the system turned the power off
  | { readonly kind: 'idle' } //   every core sleeps and no timer is armed: only input helps
  | { readonly kind: 'budget' }; // the cycles that were granted are used up

/**
 * Cycles that a core runs before another of the same virtual time gets its turn, where messages
 * between cores take their time. No core can notice earlier what another has stored: so nobody
 * misses what it would have seen, by having run ahead.
 */
const TOPOLOGY_TURN_CYCLES = DistanceCost.Transfer;

export class Machine {
  readonly board: Board;
  readonly mem: PhysMem;
  readonly bus: Bus;
  readonly cores: readonly Core[];
  readonly console: Console;
  readonly seed: number;
  /** Programs that broke, in order. The machine goes on without them. */
  readonly programFailures: ProgramFailure[];
  /** What a core does first when another has started it; no core can be, until it is set. */
  firmware: Firmware;
  /** What a core does when its CPU driver is to be replaced; none is, until it is set. */
  loadDriver: DriverLoader;
  private readonly units: readonly CoreUnit[];
  private readonly prng: Prng;
  /** Of several cores with a topology. */
  private readonly coherence: Coherence | undefined;
  private readonly flights: InterruptFlights | undefined;
  private exitCode: number | undefined;

  constructor(options: MachineOptions) {
    const { board } = options;
    assert(options.coreCount >= 1, 'a machine needs a core');
    assert(options.coreCount <= board.maxCores, 'the board has not so many cores');
    this.board = board;
    this.seed = options.seed;
    this.bus = createBus(board, options.ramBytes);
    this.mem = this.bus.mem;
    const { topology, coreCount } = options;
    const isSpread = topology !== undefined && coreCount > 1;
    const { mem, ram } = this.bus;
    this.coherence = isSpread ? new Coherence(topology, coreCount, mem.origin, ram) : undefined;
    this.flights = isSpread ? new InterruptFlights(topology, coreCount) : undefined;
    this.programFailures = [];
    this.units = Array.from({ length: options.coreCount }, (_, i) =>
      this.createUnit(coreId(i), options),
    );
    this.cores = this.units.map(({ core }) => core);
    this.firmware = () => false;
    this.loadDriver = () => false;
    this.prng = new Prng(options.seed);
    this.exitCode = undefined;
    const console = attachDevices(this.bus, board, {
      raise: (line) => this.interrupt(this.bsp.coreId, line, this.cycles),
      turnOff: (code) => this.turnOff(code),
    });
    assert(console !== undefined, 'a board needs a serial port');
    this.console = console;
  }

  /** The bootstrap core. */
  get bsp(): Core {
    const [core] = this.cores;
    assert(core !== undefined, 'a machine has a bootstrap core');
    return core;
  }

  /** The core furthest in virtual time says how late it is. */
  get cycles(): number {
    let latest = 0;
    for (const core of this.cores) latest = Math.max(latest, core.cycles);
    return latest;
  }

  /**
   * Run until the power is off, nothing is left to do, or `budgetCycles` have passed.
   * Throws the `KernelPanic` of a CPU driver that found its own state broken.
   */
  run(budgetCycles = Number.POSITIVE_INFINITY): RunOutcome {
    const end = this.cycles + budgetCycles;
    for (;;) {
      if (this.exitCode !== undefined) return { kind: 'off', exitCode: this.exitCode };
      if (this.cycles >= end) return { kind: 'budget' };
      const core = this.nextCore();
      if (core === undefined) return { kind: 'idle' };
      this.turn(core);
      if (core.failure !== undefined) throw core.failure;
    }
  }

  /** The core that is due: the earliest in virtual time; the seed decides among equals. */
  private nextCore(): Core | undefined {
    let due: Core | undefined;
    let dueTime = Number.POSITIVE_INFINITY;
    let equalCount = 0;
    for (const core of this.cores) {
      const time = this.dueTimeOf(core);
      if (time === Number.POSITIVE_INFINITY || time > dueTime) continue;
      equalCount = time < dueTime ? 1 : equalCount + 1;
      if (time < dueTime || this.prng.below(equalCount) === 0) due = core;
      dueTime = time;
    }
    return due;
  }

  private turn(core: Core): void {
    const { flights } = this;
    const isAsleep = core.mode === CoreMode.Idle && !core.hasInterrupt();
    if (isAsleep) core.cycles = Math.max(core.cycles, this.wakeTimeOf(core));
    flights?.deliver(core);
    const end = core.cycles + TOPOLOGY_TURN_CYCLES;
    this.units[core.coreId]?.turn(flights && Math.min(end, flights.dueAt(core)));
    if (isOff(core)) flights?.forget(core);
  }

  /** When a core that sleeps wakes, if nothing new happens. */
  private wakeTimeOf(core: Core): number {
    const { flights } = this;
    return Math.min(core.timerDeadline, flights?.dueAt(core) ?? Number.POSITIVE_INFINITY);
  }

  /** When a core can do something next, in its own time; infinite when only others can wake it. */
  private dueTimeOf(core: Core): number {
    switch (core.mode) {
      case CoreMode.User:
        return core.cycles;
      case CoreMode.Idle:
        return core.hasInterrupt() ? core.cycles : this.wakeTimeOf(core);
      case CoreMode.Off:
      case CoreMode.Kernel:
      case CoreMode.Halted:
        return Number.POSITIVE_INFINITY;
      default:
        return never(core.mode);
    }
  }

  private createUnit(id: CoreId, parts: CoreParts): CoreUnit {
    const now = (): number => this.cores[id]?.cycles ?? 0;
    return new CoreUnit(id, this.bus, parts, {
      coherence: this.coherence,
      raiseOn: (target, line) => this.notify(id, target, line),
      startCore: (target, page) =>
        this.units[target]?.start((core, at) => this.firmware(core, at), page, now()) ?? false,
      isOff: (target) => isOff(this.cores[target]),
      replaceDriver: (core, kcb) => this.loadDriver(core, kcb),
      report: (failure) => void this.programFailures.push(failure),
    });
  }

  /** Core `from` raises a line of core `target`. */
  private notify(from: CoreId, target: CoreId, line: number): void {
    const { flights } = this;
    const now = this.cores[from]?.cycles ?? 0;
    const core = this.cores[target];
    if (core === undefined || isOff(core)) return;
    if (flights === undefined) this.interrupt(target, line, now);
    else flights.send(from, core, line, now);
  }

  /** Raise a line of core `target` at time `at`. A core that sleeps wakes then, not earlier. */
  private interrupt(target: CoreId, line: number, at: number): void {
    const core = this.cores[target];
    if (core === undefined || isOff(core)) return;
    if (core.mode === CoreMode.Idle) core.cycles = Math.max(core.cycles, at);
    core.raise(line);
  }

  private turnOff(exitCode: number): void {
    this.exitCode = exitCode;
    for (const core of this.cores) core.powerOff();
  }
}

/** Whether nothing runs on a core, or there is none. */
function isOff(core: Core | undefined): boolean {
  return core === undefined || core.mode === CoreMode.Off || core.mode === CoreMode.Halted;
}

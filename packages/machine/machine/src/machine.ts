/**
 * A whole machine: a board with its RAM, cores and devices, and the deterministic host `sim` that
 * runs its cores in one thread and in virtual time. Same seed, same run, byte for byte.
 */

import {
  assert,
  type CoreId,
  coreId,
  never,
  type Paddr,
  PhysMem,
  Prng,
  paddr,
  panic,
} from '@barreleye/core';
import { DeviceClass, type Paging, type Program, TrapKind } from '@barreleye/spec';
import type { Board, BoardDevice } from './board.ts';
import { Bus } from './bus.ts';
import { Core, CoreMode } from './core.ts';
import type { Device } from './device.ts';
import { PowerSwitch } from './power.ts';
import { ProgramEngine, type ProgramFailure } from './program-engine.ts';
import { Uart16550 } from './uart-16550.ts';
import { UartPl011 } from './uart-pl011.ts';

/** The host's end of the console. */
export interface Console {
  /** Type one byte. */
  receive(byte: number): void;
  /** Called with each byte shown. */
  transmit: (byte: number) => void;
}

export interface MachineOptions {
  readonly board: Board;
  /** Page tables of the board's architecture. */
  readonly paging: Paging;
  /** Programs by number; gates in images refer to them. */
  readonly programs: readonly Program[];
  readonly ramBytes: number;
  readonly coreCount: number;
  readonly seed: number;
}

/**
 * Powers `core` on with a CPU driver that finds what to do in the page at `page`; false, and the
 * core stays off, if that makes no sense. May throw, which the core does not survive.
 */
export type Firmware = (core: Core, page: Paddr) => boolean;

/** Why `run` came back. */
export type RunOutcome =
  | { readonly kind: 'off'; readonly exitCode: number } // the system turned the power off
  | { readonly kind: 'idle' } //   every core sleeps and no timer is armed: only input helps
  | { readonly kind: 'budget' }; // the cycles that were granted are used up

/** Cycles that a core runs before another core of the same virtual time gets its turn. */
const TURN_CYCLES = 5000;

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
  private readonly engines: readonly ProgramEngine[];
  private readonly prng: Prng;
  private exitCode: number | undefined;

  constructor(options: MachineOptions) {
    const { board } = options;
    assert(options.coreCount >= 1, 'a machine needs a core');
    assert(options.coreCount <= board.maxCores, 'the board has not so many cores');
    const ranges = board.ramRanges(options.ramBytes);
    const [first] = ranges;
    const last = ranges.at(-1);
    assert(first !== undefined && last !== undefined, 'a machine needs RAM');
    this.board = board;
    this.seed = options.seed;
    this.mem = new PhysMem(new SharedArrayBuffer(last.base + last.bytes - first.base), first.base);
    this.bus = new Bus(this.mem, ranges);
    this.cores = Array.from({ length: options.coreCount }, (_, i) =>
      this.createCore(coreId(i), options.paging),
    );
    this.programFailures = [];
    const report = (failure: ProgramFailure): void => void this.programFailures.push(failure);
    this.engines = this.cores.map((core) => new ProgramEngine(core, options.programs, report));
    this.firmware = () => false;
    this.prng = new Prng(options.seed);
    this.exitCode = undefined;
    this.console = this.attachDevices();
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
      const time = dueTimeOf(core);
      if (time === Number.POSITIVE_INFINITY || time > dueTime) continue;
      equalCount = time < dueTime ? 1 : equalCount + 1;
      if (time < dueTime || this.prng.below(equalCount) === 0) due = core;
      dueTime = time;
    }
    return due;
  }

  private turn(core: Core): void {
    if (core.mode === CoreMode.Idle) {
      if (!core.hasInterrupt()) core.cycles = Math.max(core.cycles, core.timerDeadline);
      core.trap(TrapKind.Interrupt);
      return;
    }
    this.engines[core.coreId]?.run(core.cycles + TURN_CYCLES);
  }

  private createCore(id: CoreId, paging: Paging): Core {
    return new Core({
      coreId: id,
      arch: this.board.arch,
      paging,
      bus: this.bus,
      frequency: this.board.frequency,
      raiseOn: (target, line) => this.interrupt(target, line, this.cores[id]?.cycles ?? 0),
      startCore: (target, page) => this.startCore(target, page, this.cores[id]?.cycles ?? 0),
    });
  }

  /** Power core `target` on at time `at`; its first kernel entry happens here. */
  private startCore(target: CoreId, page: Paddr, at: number): boolean {
    const core = this.cores[target];
    if (core === undefined || core.mode !== CoreMode.Off) return false;
    core.cycles = Math.max(core.cycles, at);
    try {
      return this.firmware(core, page);
    } catch (error) {
      core.failure = error;
      core.powerOff();
      return false;
    }
  }

  /** Raise a line of core `target` at time `at`. A core that sleeps wakes then, not earlier. */
  private interrupt(target: CoreId, line: number, at: number): void {
    const core = this.cores[target];
    if (core === undefined) return;
    if (core.mode === CoreMode.Idle) core.cycles = Math.max(core.cycles, at);
    core.raise(line);
  }

  private attachDevices(): Console {
    let console: Console | undefined;
    for (const spec of this.board.devices) {
      const device = this.createDevice(spec);
      this.bus.attach(device, paddr(spec.base), spec.bytes);
      if (device instanceof Uart16550 || device instanceof UartPl011) console ??= device;
    }
    assert(console !== undefined, 'a board needs a serial port');
    return console;
  }

  private createDevice(spec: BoardDevice): Device {
    const raise = (): void => this.interrupt(this.bsp.coreId, spec.irq, this.cycles);
    switch (spec.class) {
      case DeviceClass.Uart16550:
        return new Uart16550(raise);
      case DeviceClass.UartPl011:
        return new UartPl011(raise);
      case DeviceClass.Power:
        return new PowerSwitch((exitCode) => {
          this.exitCode = exitCode;
          for (const core of this.cores) core.powerOff();
        });
      case DeviceClass.None:
        return panic(`no model of device ${spec.name}`);
      default:
        return never(spec.class);
    }
  }
}

/** When a core can do something next, in its own time; infinite when only others can wake it. */
function dueTimeOf(core: Core): number {
  switch (core.mode) {
    case CoreMode.User:
      return core.cycles;
    case CoreMode.Idle:
      return core.hasInterrupt() ? core.cycles : core.timerDeadline;
    case CoreMode.Off:
    case CoreMode.Kernel:
    case CoreMode.Halted:
      return Number.POSITIVE_INFINITY;
    default:
      return never(core.mode);
  }
}

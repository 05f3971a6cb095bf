/**
 * What a host builds a machine of: memory and bus, devices, cores with the engines that run their
 * programs. A host decides where these are (in one thread, or each core in one of its own), whose
 * turn it is, and what time it is.
 */

import {
  type CoreId,
  never,
  type Paddr,
  PhysMem,
  type PhysRange,
  type Ptr,
  paddr,
  panic,
} from '@barreleye/core';
import { DeviceClass, type Paging, type Program, TrapKind } from '@barreleye/spec';
import type { Board, BoardDevice } from './board.ts';
import { Bus } from './bus.ts';
import { Core, CoreMode, type CoreOptions } from './core.ts';
import type { Device } from './device.ts';
import { PowerSwitch } from './power.ts';
import { ProgramEngine, type ProgramFailure } from './program-engine.ts';
import { Uart16550 } from './uart-16550.ts';
import { UartPl011 } from './uart-pl011.ts';

/** Cycles that a core runs before its host looks at something else. */
const TURN_CYCLES = 5000;

/** The host's end of the console. */
export interface Console {
  /** Type one byte. */
  receive(byte: number): void;
  /** Called with each byte shown. */
  transmit: (byte: number) => void;
}

/**
 * Powers `core` on with a CPU driver that finds what to do in the page at `page`; false, and the
 * core stays off, if that makes no sense. May throw, which the core does not survive.
 */
export type Firmware = (core: Core, page: Paddr) => boolean;

/**
 * Puts another CPU driver on a running core, over its control block at `kcb`, for the traps from
 * the next one on; false if there is none.
 */
export type DriverLoader = (core: Core, kcb: Ptr<'Kcb'>) => boolean;

/** Bytes of memory that `ramBytes` bytes of RAM on a board take, with the holes between. */
export function memoryBytes(board: Board, ramBytes: number): number {
  const { first, last } = endsOf(board.ramRanges(ramBytes));
  return last.base + last.bytes - first.base;
}

/** A bus without devices, over `buffer` of as many bytes as `memoryBytes` says. */
export function createBus(
  board: Board,
  ramBytes: number,
  buffer = new SharedArrayBuffer(memoryBytes(board, ramBytes)),
): Bus {
  const ranges = board.ramRanges(ramBytes);
  return new Bus(new PhysMem(buffer, endsOf(ranges).first.base), ranges);
}

function endsOf(ranges: readonly PhysRange[]): { first: PhysRange; last: PhysRange } {
  const [first] = ranges;
  const last = ranges.at(-1);
  if (first === undefined || last === undefined) return panic('a machine needs RAM');
  return { first, last };
}

/** Where the wires of devices lead to. */
export interface DeviceWires {
  /** Raise line `line` of the core that has the devices. */
  readonly raise: (line: number) => void;
  readonly turnOff: (exitCode: number) => void;
}

/**
 * Attach the devices of a board, or those for which `isWanted` holds.
 * @returns the first serial port
 */
export function attachDevices(
  bus: Bus,
  board: Board,
  wires: DeviceWires,
  isWanted: (spec: BoardDevice) => boolean = () => true,
): Console | undefined {
  let console: Console | undefined;
  for (const spec of board.devices.filter(isWanted)) {
    const device = createDevice(spec, wires);
    bus.attach(device, paddr(spec.base), spec.bytes);
    if (device instanceof Uart16550 || device instanceof UartPl011) console ??= device;
  }
  return console;
}

function createDevice(spec: BoardDevice, { raise, turnOff }: DeviceWires): Device {
  switch (spec.class) {
    case DeviceClass.Uart16550:
      return new Uart16550(() => raise(spec.irq));
    case DeviceClass.UartPl011:
      return new UartPl011(() => raise(spec.irq));
    case DeviceClass.Power:
      return new PowerSwitch(turnOff);
    case DeviceClass.None:
      return panic(`no model of device ${spec.name}`);
    default:
      return never(spec.class);
  }
}

/** What the cores of a machine have in common. */
export interface CoreParts {
  readonly board: Board;
  /** Page tables of the board's architecture. */
  readonly paging: Paging;
  /** Programs by number; gates in images refer to them. */
  readonly programs: readonly Program[];
}

/** What a core needs of its host. */
export interface CoreWires
  extends Pick<CoreOptions, 'raiseOn' | 'startCore' | 'isOff' | 'pending' | 'coherence'> {
  /** What replaces the CPU driver of this core. */
  readonly replaceDriver: DriverLoader;
  /** A program broke. */
  readonly report: (failure: ProgramFailure) => void;
}

/** A core, and what runs programs on it. */
export class CoreUnit {
  readonly core: Core;
  private readonly engine: ProgramEngine;

  constructor(coreId: CoreId, bus: Bus, { board, paging, programs }: CoreParts, wires: CoreWires) {
    const { arch, frequency } = board;
    const core: Core = new Core({
      ...{ coreId, arch, paging, bus, frequency, ...wires },
      replaceDriver: (kcb) => wires.replaceDriver(core, kcb),
    });
    this.core = core;
    this.engine = new ProgramEngine(core, programs, wires.report);
  }

  /**
   * Power the core on at time `at`, if it is off. Its first kernel entry happens here.
   * @returns false: it was on, or its firmware makes no sense of `page`, or has failed
   */
  start(firmware: Firmware, page: Paddr, at: number): boolean {
    const { core } = this;
    if (core.mode !== CoreMode.Off) return false;
    core.cycles = Math.max(core.cycles, at);
    try {
      return firmware(core, page);
    } catch (error) {
      core.failure = error;
      core.powerOff();
      return false;
    }
  }

  /** Take the interrupt that an idle core sleeps for, or run user mode for a while. */
  turn(pauseAt = this.core.cycles + TURN_CYCLES): void {
    const { core } = this;
    if (core.mode === CoreMode.Idle) core.trap(TrapKind.Interrupt);
    else this.engine.run(pauseAt);
  }
}

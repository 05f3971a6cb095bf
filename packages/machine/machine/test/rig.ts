/**
 * A core on its own: RAM, a device window, real page tables, and a kernel that is whatever the test
 * says. The kernel panics on a trap that the test did not expect.
 */

import { asPaddr, asPtr, coreId, type Paddr, PhysMem, paddr, panic } from '@barreleye/core';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import {
  archX86_64,
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  Gate,
  GateWord,
  PageFlag,
  type Program,
} from '@barreleye/spec';
import { Bus } from '../src/bus.ts';
import { Core } from '../src/core.ts';
import { PowerSwitch } from '../src/power.ts';
import { Tables } from './tables.ts';

export const PAGE = 4096;
const RAM = 0x20_0000;
const RAM_BYTES = 512 * PAGE;
/** Frames for tests; the page tables lie below. */
const FRAMES = RAM + 32 * PAGE;
/** A device window: writing its first register is noted in `Rig.offCodes`. */
export const DEVICE = 0xfe00_0000;

/** Where tests map things. */
export const IMAGE_VA = 0x40_0000;
export const DISPATCHER_VA = 0x80_0000;
export const DATA_VA = 0x100_0000;
export const DEVICE_VA = 0x180_0000;

/** A core under test and its surroundings. */
export interface Rig {
  readonly core: Core;
  readonly mem: PhysMem;
  readonly tables: Tables;
  /** Kinds of the traps so far. */
  readonly traps: number[];
  /** Cores whose doorbell was rung. */
  readonly rung: number[];
  readonly offCodes: number[];
  /** The kernel: called at each trap; must leave it. */
  onTrap: (kind: number) => void;
}

/** A core whose kernel has not been entered. */
export function createRig(): Rig {
  const mem = new PhysMem(new ArrayBuffer(RAM_BYTES), RAM);
  const bus = new Bus(mem, [{ base: paddr(RAM), bytes: RAM_BYTES }]);
  const rung: number[] = [];
  const offCodes: number[] = [];
  bus.attach(new PowerSwitch((code) => offCodes.push(code)), paddr(DEVICE), PAGE);
  const core = new Core({
    coreId: coreId(0),
    arch: archX86_64,
    paging: pagingX86_64,
    bus,
    frequency: 1e9,
    raiseOn: (target) => rung.push(target),
    startCore: () => false,
    isOff: () => true,
    replaceDriver: () => false,
  });
  const tables = new Tables(mem, pagingX86_64, RAM);
  const onTrap = (kind: number): void => panic(`a trap of kind ${kind} was not expected`);
  return { core, mem, tables, traps: [], rung, offCodes, onTrap };
}

/** Power the core on; the first kernel entry leaves for user mode under tag 1. */
export function enterUser(rig: Rig): void {
  const { core, tables, traps } = rig;
  const handler = {
    onTrap: (kind: number) => {
      traps.push(kind);
      rig.onTrap(kind);
    },
  };
  core.powerOn(handler, () => {
    core.loadRoot(tables.root, 1);
    core.enterUser();
  });
}

/** Frame number `i`. */
export function frame(i: number): Paddr {
  return asPaddr(FRAMES + i * PAGE);
}

/** Fill frame `at` with the gates of program number `index`. */
export function writeGates(mem: PhysMem, at: Paddr, index: number): void {
  for (let gate = 0; gate < GATE_COUNT; gate++) {
    writeGate(mem, at, gate, { gate, program: index });
  }
}

/** Write one gate, right or wrong, at place `place` of an image. */
export function writeGate(
  mem: PhysMem,
  image: Paddr,
  place: number,
  { gate, program, opcode = archX86_64.gateOpcode }: GateContents,
): void {
  const word = asPtr<'GateWord'>(gateAt(image, place));
  GateWord.opcode.set(mem, word, opcode);
  GateWord.gate.set(mem, word, gate);
  GateWord.program.set(mem, word, program);
}

/** What a gate says. */
export interface GateContents {
  readonly gate: number;
  readonly program: number;
  readonly opcode?: number;
}

/** Virtual or physical address of gate `gate` of the image at `image`. */
export function gateAt(image: number, gate: number): number {
  return image + GATES_AT + gate * GATE_BYTES;
}

/** Map an image and a dispatcher frame, and point the program counter at `Gate.Start`. */
export function load(rig: Rig, index = 0): void {
  const { core, mem, tables } = rig;
  writeGates(mem, frame(0), index);
  tables.map(IMAGE_VA, frame(0), PageFlag.Read | PageFlag.Execute);
  tables.map(DISPATCHER_VA, frame(1), PageFlag.Read | PageFlag.Write);
  core.setThreadPointer(DISPATCHER_VA);
  setPc(core, gateAt(IMAGE_VA, Gate.Start));
}

/** Set the program counter. */
export function setPc(core: Core, va: number): void {
  core.regs[2 * core.arch.pc] = va;
  core.regs[2 * core.arch.pc + 1] = Math.floor(va / 2 ** 32);
}

/** The program counter. */
export function pcOf(core: Core): number {
  const high = (core.regs[2 * core.arch.pc + 1] ?? 0) | 0;
  return high * 2 ** 32 + (core.regs[2 * core.arch.pc] ?? 0);
}

/** A program of one function, which is called with the gate and the number of the instance. */
export function programOf(
  name: string,
  enter: (cpu: Parameters<Program['create']>[0], gate: number, instance: number) => void,
): Program {
  let count = 0;
  return {
    name,
    create(cpu) {
      const instance = count;
      count += 1;
      return { enter: (gate) => enter(cpu, gate, instance) };
    },
  };
}

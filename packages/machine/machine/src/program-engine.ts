/**
 * Runs programs: fetches at the program counter through the page tables and enters the program
 * whose gate it finds there. Everything the kernel does to a program it does through the program
 * counter, the registers and memory.
 *
 * A running program is known by the physical address of its dispatcher frame, which the core
 * reaches through the thread pointer: to be taken for another program one would have to hold a
 * capability to map its frame.
 */

import { asPtr, assert, type CoreId } from '@barreleye/core';
import {
  Access,
  DISPATCHER_FRAME_BYTES,
  GATE_BYTES,
  GATE_COUNT,
  Gate,
  GateWord,
  type Program,
  type ProgramInstance,
  readRegister,
  TrapKind,
  writeRegister,
} from '@barreleye/spec';
import { type Core, CoreMode } from './core.ts';
import { Cost } from './costs.ts';
import { UserPort } from './user-port.ts';

/** A program that broke: it threw where a program may not. */
export interface ProgramFailure {
  readonly program: string;
  readonly coreId: CoreId;
  readonly error: unknown;
}

interface Running {
  readonly program: Program;
  readonly instance: ProgramInstance;
  /** It threw, and is never entered again. */
  isBroken: boolean;
}

export class ProgramEngine {
  private readonly core: Core;
  private readonly port: UserPort;
  private readonly programs: readonly Program[];
  /** By physical address of the dispatcher frame. */
  private readonly instances: Map<number, Running>;
  private readonly report: (failure: ProgramFailure) => void;

  /** @param programs the machine's program table; gates name programs by their place in it */
  constructor(
    core: Core,
    programs: readonly Program[],
    report: (failure: ProgramFailure) => void = () => undefined,
  ) {
    this.core = core;
    this.report = report;
    this.port = new UserPort(core);
    this.programs = programs;
    this.instances = new Map();
  }

  /** Run user mode until it has left, or the clock passes `pauseAt`. */
  run(pauseAt: number): void {
    const { core } = this;
    this.port.pauseAt = pauseAt;
    while (core.mode === CoreMode.User && core.cycles < pauseAt) {
      if (core.hasInterrupt()) core.trap(TrapKind.Interrupt);
      else this.step();
    }
    if (core.mode === CoreMode.Off) this.instances.clear(); // nobody will ever be entered again
  }

  /** Execute the one gate that the program counter points to. */
  private step(): void {
    const { core } = this;
    const pc = readRegister(core.regs, core.arch.pc);
    const at = core.mmu.translate(pc, Access.Execute);
    if (at < 0) {
      core.pageFault(pc, Access.Execute);
      return;
    }
    if (!core.bus.isRam(at, GATE_BYTES)) {
      core.busError(pc, Access.Execute);
      return;
    }
    const { mem } = core;
    const word = asPtr<'GateWord'>(at);
    // A gate begins at a multiple of its length, so that it never reaches into another page.
    const isAligned = at % GATE_BYTES === 0;
    if (!isAligned || GateWord.opcode.get(mem, word) !== core.arch.gateOpcode) {
      core.trap(TrapKind.Undefined);
      return;
    }
    const gate = GateWord.gate.get(mem, word);
    const program = this.programs[GateWord.program.get(mem, word)];
    const instance = this.instanceFor(gate, program);
    if (instance === undefined) {
      core.trap(TrapKind.Undefined);
      return;
    }
    if (instance.isBroken) {
      core.trap(TrapKind.Abort); // it broke when the core was not its own any more
      return;
    }
    core.cycles += Cost.Gate;
    writeRegister(core.regs, core.arch.pc, pc + (Gate.Resume - gate) * GATE_BYTES);
    this.port.take();
    this.enter(instance, gate);
  }

  /** Run a program until it has left. One that breaks is dropped, and never entered again. */
  private enter(running: Running, gate: number): void {
    const { core, port } = this;
    try {
      running.instance.enter(gate);
      assert(!port.isLive(), 'a program returned while it held the core');
    } catch (error) {
      running.isBroken = true;
      this.report({ program: running.program.name, coreId: core.coreId, error });
      if (port.isLive()) core.trap(TrapKind.Abort);
    }
  }

  private instanceFor(gate: number, program: Program | undefined): Running | undefined {
    if (program === undefined || gate >= GATE_COUNT) return undefined;
    const { mmu } = this.core;
    const frame = mmu.translate(this.port.threadPointer, Access.Read);
    if (frame < 0) return undefined;
    if (gate !== Gate.Start) return this.instances.get(frame);
    this.forgetDead(frame);
    const running = { program, instance: program.create(this.port), isBroken: false };
    this.instances.set(frame, running);
    return running;
  }

  /**
   * A dispatcher begins in the frame at `frame`: those whose frames had part of that memory are
   * dead. So there are never more instances than memory has room for frames.
   */
  private forgetDead(frame: number): void {
    for (const other of this.instances.keys()) {
      if (Math.abs(other - frame) < DISPATCHER_FRAME_BYTES) this.instances.delete(other);
    }
  }
}

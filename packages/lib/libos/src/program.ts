/**
 * Programs and their images. `program('hello', function* (os) { ... })` is all it takes to write a
 * domain; the image is the page of gates through which the machine enters it.
 */

import { asPaddr, asPtr, assert, PhysMem } from '@barreleye/core';
import {
  type Arch,
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  GateWord,
  IMAGE_BYTES,
  IMAGE_MAGIC,
  ImageHeader,
  type Program,
  RootSlot,
} from '@barreleye/spec';
import { Dispatcher } from './dispatcher.ts';
import { Os, type Wait } from './os.ts';
import { DeadlockError, UncaughtError } from './program-error.ts';
import { SlotAllocator } from './slot-alloc.ts';
import type { WaitReport } from './wait-report.ts';

/** The first thread of a program. `argPage` is the address of its argument page. */
export type Main = (os: Os, argPage: number) => Wait<unknown>;

/** What a program may decide about itself. */
export interface ProgramOptions<O extends Os = Os> {
  /**
   * Called when a thread died of an exception that it did not catch; the others go on. Without it
   * such an exception ends the whole domain.
   */
  readonly onThreadDeath?: (os: O, threadName: string, error: unknown) => void;
  /**
   * Called when all threads wait and nothing can wake them any more, each time that the domain is
   * about to sleep like that. Without it that ends the whole domain.
   */
  readonly onDeadlock?: (os: O, report: WaitReport) => void;
}

/** Make a program of a main thread. */
export function program(name: string, main: Main, options: ProgramOptions = {}): Program {
  return programOf(name, (dispatcher, slots) => new Os(dispatcher, slots), main, options);
}

/** The same for programs that see more of the system than `Os`. */
export function programOf<O extends Os>(
  name: string,
  createOs: (dispatcher: Dispatcher, slots: SlotAllocator, argPage: number) => O,
  main: (os: O, argPage: number) => Wait<unknown>,
  options: ProgramOptions<O> = {},
): Program {
  return {
    name,
    create(cpu) {
      let os: O | undefined;
      return new Dispatcher(cpu, {
        start(dispatcher, argPage) {
          const slots = new SlotAllocator();
          slots.addCnode(RootSlot.SlotAlloc1);
          slots.addCnode(RootSlot.SlotAlloc2);
          os = createOs(dispatcher, slots, argPage);
          return main(os, argPage);
        },
        threadDied(thread, error) {
          if (os === undefined || options.onThreadDeath === undefined) {
            throw new UncaughtError(thread.name, error);
          }
          options.onThreadDeath(os, thread.name, error);
        },
        deadlocked(report) {
          if (os === undefined || options.onDeadlock === undefined) throw new DeadlockError(report);
          options.onDeadlock(os, report);
        },
      });
    },
  };
}

/** The image of program number `index` for a core of architecture `arch`; one page. */
export function programImage(arch: Arch, index: number, name: string): Uint8Array {
  assert(name.length <= ImageHeader.name.bytes, 'the name of a program has at most 48 characters');
  const mem = new PhysMem(new ArrayBuffer(IMAGE_BYTES));
  const header = asPtr<'ImageHeader'>(0);
  ImageHeader.magic.set(mem, header, IMAGE_MAGIC);
  ImageHeader.gatesAt.set(mem, header, GATES_AT);
  ImageHeader.program.set(mem, header, index);
  ImageHeader.name.set(mem, header, name);
  for (let gate = 0; gate < GATE_COUNT; gate++) {
    const word = asPtr<'GateWord'>(GATES_AT + gate * GATE_BYTES);
    GateWord.opcode.set(mem, word, arch.gateOpcode);
    GateWord.gate.set(mem, word, gate);
    GateWord.program.set(mem, word, index);
  }
  return mem.read(asPaddr(0), IMAGE_BYTES);
}

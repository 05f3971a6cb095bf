/** Programs: their images, and exceptions that no thread catches. */

import { asPaddr, asPtr, KernelPanic, PhysMem, panic } from '@barreleye/core';
import {
  archArmv7,
  archX86_64,
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  Gate,
  GateWord,
  IMAGE_BYTES,
  IMAGE_MAGIC,
  ImageHeader,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { HandCpu } from './hand-cpu.ts';
import type { Wait } from './os.ts';
import { PageFaultError } from './os-error.ts';
import { type ProgramOptions, program, programImage } from './program.ts';
import { DeadlockError, UncaughtError } from './program-error.ts';
import { Semaphore } from './semaphore.ts';

const AT = 4096;

/** The image of a program, in memory. */
function loaded(bytes: Uint8Array): PhysMem {
  const mem = new PhysMem(new ArrayBuffer(2 * IMAGE_BYTES));
  mem.write(asPaddr(AT), bytes);
  return mem;
}

describe.each([archX86_64, archArmv7])('the image of a program for $name', (arch) => {
  it('is a page: header, then a gate for every way in', () => {
    const image = programImage(arch, 300, 'hello');
    expect(image.length).toBe(IMAGE_BYTES);
    const mem = loaded(image);
    const header = asPtr<'ImageHeader'>(AT);
    expect(ImageHeader.magic.get(mem, header)).toBe(IMAGE_MAGIC);
    expect(ImageHeader.gatesAt.get(mem, header)).toBe(GATES_AT);
    expect(ImageHeader.program.get(mem, header)).toBe(300);
    expect(ImageHeader.name.get(mem, header)).toBe('hello');
    for (let gate = 0; gate < GATE_COUNT; gate++) {
      const word = asPtr<'GateWord'>(AT + GATES_AT + gate * GATE_BYTES);
      expect(GateWord.opcode.get(mem, word)).toBe(arch.gateOpcode);
      expect(GateWord.gate.get(mem, word)).toBe(gate);
      expect(GateWord.program.get(mem, word)).toBe(300);
    }
    const behind = GATES_AT + GATE_COUNT * GATE_BYTES;
    expect(mem.isZero(asPaddr(AT + behind), IMAGE_BYTES - behind)).toBe(true);
  });
});

describe('the name of a program', () => {
  it('may fill its field and not more', () => {
    const name = 'x'.repeat(ImageHeader.name.bytes);
    const mem = loaded(programImage(archX86_64, 0, name));
    expect(ImageHeader.name.get(mem, asPtr<'ImageHeader'>(AT))).toBe(name);
    expect(() => programImage(archX86_64, 0, `${name}x`)).toThrow('at most 48 characters');
  });
});

describe('an exception that no thread catches', () => {
  /** Start a program whose first thread does `act` while a second one waits for its turn. */
  function start(act: () => void, options?: ProgramOptions): string[] {
    const log: string[] = [];
    // biome-ignore lint/correctness/useYield: it does not wait
    function* second(): Wait<void> {
      log.push('second');
    }
    const made = program(
      'test',
      function* (os) {
        os.spawnThread('second', second());
        act();
        yield* os.giveWay();
      },
      options,
    );
    const cpu = new HandCpu(archX86_64);
    cpu.onSyscall = () => cpu.leave(); // the yield at the end
    cpu.enter(made.create(cpu), Gate.Start);
    return log;
  }

  const fail = (): void => {
    throw new Error('oh');
  };

  it('ends the whole program, unless the program says otherwise', () => {
    expect(() => start(fail)).toThrow('oh');
  });

  it('ends its thread when the program takes note of it', () => {
    const deaths: string[] = [];
    const onThreadDeath: ProgramOptions['onThreadDeath'] = (_, name, error) =>
      deaths.push(`${name}: ${error}`);
    expect(start(fail, { onThreadDeath })).toEqual(['second']);
    expect(deaths).toEqual(['main: Error: oh']);
  });

  it('is reported with the thread, what it did and where', () => {
    const cpu = new HandCpu(archX86_64);
    const made = program('test', (os) => os.store32(0x1230, 1)).create(cpu);
    cpu.onFault = () => undefined;
    cpu.enter(made, Gate.Start);
    const fault = (): void => cpu.enter(made, Gate.PageFault, [0x1230, 6, 0, 1]);
    const cause = new PageFaultError({ address: 0x1230, access: 1, code: 6 });
    const report = 'thread main: PageFaultError: page fault: write at 0x1230 (code 0x6)';
    expect(new UncaughtError('main', cause).message).toBe(report);
    expect(fault).toThrow(new UncaughtError('main', cause));
  });

  it('ends the whole program if the library itself is broken, whatever the program says', () => {
    const broken = (): void => panic('a broken invariant');
    expect(() => start(broken, { onThreadDeath: () => undefined })).toThrow(KernelPanic);
  });
});

describe('a deadlock', () => {
  /** A program whose first thread waits for something that never comes. */
  function start(options?: ProgramOptions): void {
    const made = program('test', (os) => new Semaphore(os, 'never', 0).take(), options);
    const cpu = new HandCpu(archX86_64);
    cpu.onSyscall = () => cpu.leave(); // the yield at the end
    cpu.enter(made.create(cpu), Gate.Start);
  }

  it('ends the whole program with a report, unless the program says otherwise', () => {
    expect(() => start()).toThrow(DeadlockError);
    expect(() => start()).toThrow('1 thread waits:\n  main waits for semaphore never');
  });

  it('can be resolved by the program', () => {
    const reports: number[] = [];
    start({ onDeadlock: (_, { waits }) => reports.push(waits.length) });
    expect(reports).toEqual([1]);
  });
});

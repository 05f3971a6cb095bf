/** When the next line is due, on machines that sleep and on such that never do. */

import { boardPc64, type Machine } from '@barreleye/machine';
import { type Program, Syscall } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { programOf, targetOf } from '../test/programs.ts';
import { runScript } from './run-script.ts';
import { bootTarget } from './target.ts';
import { Typist } from './typist.ts';

const PATIENCE_CYCLES = boardPc64.frequency / 100;

const sleeper = programOf('init', () => undefined);

const worker = programOf('init', (cpu) => {
  const [number = 0] = cpu.arch.argWords;
  cpu.regs[number] = Syscall.Nop;
  while (cpu.isLive() && cpu.syscall() && cpu.poll());
});

function machineOf(program: Program): Machine {
  const booted = bootTarget(targetOf({ '/sbin/init': { program } }));
  if (!booted.ok) throw new Error(booted.message);
  return booted.system.machine;
}

describe('the next line', () => {
  it('is due when the machine is idle', () => {
    const machine = machineOf(sleeper);
    expect(new Typist(machine).run()).toEqual({ kind: 'idle' });
    expect(machine.cycles).toBeLessThan(PATIENCE_CYCLES);
  });

  it('is due a hundredth of a second after the last one when the machine is never idle', () => {
    const machine = machineOf(worker);
    const typist = new Typist(machine);
    expect(typist.run()).toEqual({ kind: 'due' });
    const firstDue = machine.cycles;
    expect(firstDue).toBeGreaterThanOrEqual(PATIENCE_CYCLES);
    typist.type([0x0a]);
    expect(typist.run()).toEqual({ kind: 'due' });
    expect(machine.cycles - firstDue).toBeGreaterThanOrEqual(PATIENCE_CYCLES);
    expect(machine.cycles).toBeLessThan(2.5 * PATIENCE_CYCLES);
  });

  it('stays due until something is typed', () => {
    const typist = new Typist(machineOf(worker));
    typist.run();
    expect(typist.run()).toEqual({ kind: 'due' });
  });

  it('is due at the same time whether the machine runs on at once or bit by bit', () => {
    const [once, often] = [machineOf(worker), machineOf(worker)];
    new Typist(once).run();
    const typist = new Typist(often);
    while (typist.run(PATIENCE_CYCLES / 7).kind === 'budget');
    expect(often.cycles).toBe(once.cycles);
  });
});

describe('a script', () => {
  it('has no exit code while the machine is on', () => {
    expect(runScript(machineOf(sleeper), ['one', 'two'])).toEqual({
      screen: '',
      exitCode: undefined,
    });
  });
});

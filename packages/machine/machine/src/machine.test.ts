/** A machine: why a run ends, virtual time, the console, and chance. */

import { assert, coreId } from '@barreleye/core';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { Gate, TrapKind, Uart16550Bit, Uart16550Reg, type UserCpu } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCores, deviceAt } from '../test/cores.ts';
import { gateAt, IMAGE_VA, programOf, setPc } from '../test/rig.ts';
import { type Core, CoreMode } from './core.ts';
import { IrqLine } from './hal.ts';
import { Machine, type RunOutcome } from './machine.ts';
import { boardPc64 } from './pc64.ts';

const SERIAL = deviceAt(0);
const POWER = deviceAt(1);

/** A program that gives the core back at once, for good. */
const sleeper = programOf('sleeper', (cpu) => void cpu.syscall());

/** Let time pass in steps until the core is gone. */
function spin(cpu: UserCpu, stepCycles: number): void {
  do cpu.spend(stepCycles);
  while (cpu.poll());
}

/** Sleep at system calls; at an interrupt, note its lines and go on at Run. */
function enterOnInterrupt(core: Core, kind: number, note: (line: number) => void): void {
  if (kind === TrapKind.Syscall) {
    core.idle();
    return;
  }
  for (let line = core.takeInterrupt(); line >= 0; line = core.takeInterrupt()) note(line);
  setPc(core, gateAt(IMAGE_VA, Gate.Run));
  core.enterUser();
}

describe('a run ends', () => {
  it('when every core sleeps and no timer is armed', () => {
    const machine = createCores({
      program: sleeper,
      onTrap: (core) => core.idle(),
      coreCount: 3,
    });
    expect(machine.run()).toEqual({ kind: 'idle' });
    expect(machine.cores.map((core) => core.mode)).toEqual([4, 4, 4].map(() => CoreMode.Idle));
    expect(machine.run()).toEqual({ kind: 'idle' });
  });

  it('when every core is halted', () => {
    const machine = createCores({ program: sleeper, onTrap: (core) => core.halt() });
    machine.bsp.raise(5);
    expect(machine.run()).toEqual({ kind: 'idle' });
  });

  it('before anything is powered on', () => {
    const { minRamBytes: ramBytes } = boardPc64;
    const options = { board: boardPc64, paging: pagingX86_64, programs: [], coreCount: 1 };
    const machine = new Machine({ ...options, ramBytes, seed: 1 });
    expect(machine.run()).toEqual({ kind: 'idle' });
    expect(machine.bsp.mode).toBe(CoreMode.Off);
  });

  it('when the system turns the power off, with its exit code, and stays off', () => {
    let stepCount = 0;
    const program = programOf('off', (cpu) => {
      cpu.store32(POWER, 7);
      for (stepCount = 1; cpu.poll(); stepCount++) cpu.spend(1000);
    });
    const machine = createCores({ program, onTrap: (core) => core.resumeUser(), coreCount: 2 });
    expect(machine.run()).toEqual({ kind: 'off', exitCode: 7 });
    const before = [stepCount, machine.cycles];
    expect(machine.run()).toEqual({ kind: 'off', exitCode: 7 });
    expect([stepCount, machine.cycles]).toEqual(before);
  });

  it('when the granted cycles are used up, and can go on from there', () => {
    const program = programOf('spinner', (cpu) => spin(cpu, 100));
    const machine = createCores({ program, onTrap: (core) => core.resumeUser() });
    for (const end of [100_000, 200_000]) {
      expect(machine.run(end - machine.cycles)).toEqual({ kind: 'budget' });
      expect(machine.cycles).toBeGreaterThanOrEqual(end);
      expect(machine.cycles).toBeLessThan(end + 10_000); // a turn more at most
    }
    expect(machine.run(0)).toEqual({ kind: 'budget' });
  });

  it('with what the CPU driver of any core died of, unseen by the program', () => {
    const bug = new Error('a bug in the kernel');
    const seen: unknown[] = [];
    const program = programOf('catcher', (cpu) => {
      try {
        seen.push(cpu.syscall());
      } catch (error) {
        seen.push(error);
      }
    });
    const machine = createCores({
      program,
      coreCount: 2,
      onTrap: (core) => {
        if (core.coreId === 1) throw bug;
        core.idle();
      },
    });
    expect(() => machine.run()).toThrow(bug);
    expect(machine.cores[1]?.mode).toBe(CoreMode.Halted);
    expect(machine.cores[1]?.failure).toBe(bug);
    expect(new Set(seen)).toEqual(new Set([false]));
  });
});

describe('virtual time', () => {
  it('jumps to the timer of a core that sleeps', () => {
    const wakeTimes: number[] = [];
    const machine = createCores({
      program: sleeper,
      onTrap: (core, kind) => {
        if (kind === TrapKind.Interrupt) {
          wakeTimes.push(core.timerDeadline);
          expect(core.takeInterrupt()).toBe(IrqLine.Timer);
        }
        if (wakeTimes.length < 3) core.setTimer((wakeTimes.at(-1) ?? 0) + 1_000_000);
        core.idle();
      },
    });
    expect(machine.run()).toEqual({ kind: 'idle' });
    expect(wakeTimes).toEqual([1_000_000, 2_000_000, 3_000_000]);
    expect(machine.cycles).toBeGreaterThanOrEqual(3_000_000);
    expect(machine.cycles).toBeLessThan(3_001_000);
  });

  it('lets the core with the earliest timer go first', () => {
    const woken: number[] = [];
    const machine = createCores({
      program: sleeper,
      coreCount: 4,
      onTrap: (core, kind) => {
        if (kind === TrapKind.Syscall) core.setTimer(100_000 - 10_000 * core.coreId);
        else woken.push(core.coreId);
        while (core.takeInterrupt() >= 0);
        core.idle();
      },
    });
    machine.run();
    expect(woken).toEqual([3, 2, 1, 0]);
  });

  it('keeps busy cores close together', () => {
    const program = programOf('spinner', (cpu) => spin(cpu, 10));
    const machine = createCores({ program, onTrap: (core) => core.resumeUser(), coreCount: 4 });
    for (let i = 0; i < 20; i++) {
      machine.run(10_000);
      const times = machine.cores.map((core) => core.cycles);
      expect(Math.max(...times) - Math.min(...times)).toBeLessThan(12_000);
    }
  });

  it('does not run backwards through a doorbell: it is heard after it was rung', () => {
    let rungAt = 0;
    let heardAt = 0;
    const machine = createCores({
      program: sleeper,
      coreCount: 2,
      onTrap: (core, kind) => {
        if (kind === TrapKind.Syscall) {
          if (core.coreId === 0) core.setTimer(1_000_000); // the other sleeps for good
        } else if (core.takeInterrupt() === IrqLine.Timer) {
          rungAt = core.now();
          core.raiseOn(coreId(1), IrqLine.Doorbell);
        } else {
          expect(core.coreId).toBe(1);
          heardAt = core.now();
        }
        core.idle();
      },
    });
    expect(machine.run()).toEqual({ kind: 'idle' });
    expect(rungAt).toBeGreaterThanOrEqual(1_000_000);
    expect(heardAt).toBeGreaterThanOrEqual(rungAt);
  });

  it('does not run backwards for input: a core that slept does not wake in the past', () => {
    let heardAt = 0;
    const program = programOf('worker', (cpu, gate) => {
      if (gate === Gate.Start) cpu.store8(SERIAL + Uart16550Reg.IER, Uart16550Bit.IER_ERBFI);
      if (!cpu.syscall()) return;
      spin(cpu, 100);
    });
    const machine = createCores({
      program,
      coreCount: 2,
      onTrap: (core, kind) => {
        if (kind === TrapKind.Interrupt) heardAt = core.now();
        while (core.takeInterrupt() >= 0);
        if (core.coreId === 0) core.idle();
        else core.resumeUser();
      },
    });
    machine.run(1_000_000);
    const typedAt = machine.cycles;
    machine.console.receive(65);
    machine.run(10_000);
    expect(heardAt).toBeGreaterThanOrEqual(typedAt);
  });
});

describe('the console', () => {
  it('is the serial port: bytes go out, and typed ones interrupt the bootstrap core', () => {
    const program = programOf('echo', (cpu, gate) => {
      if (gate === Gate.Start) cpu.store8(SERIAL + Uart16550Reg.IER, Uart16550Bit.IER_ERBFI);
      while ((cpu.load8(SERIAL + Uart16550Reg.LSR) & Uart16550Bit.LSR_DR) !== 0) {
        cpu.store8(SERIAL + Uart16550Reg.RBR_THR, cpu.load8(SERIAL + Uart16550Reg.RBR_THR) + 1);
      }
      cpu.syscall();
    });
    const lines: string[] = [];
    const machine = createCores({
      program,
      coreCount: 2,
      onTrap: (core, kind) =>
        enterOnInterrupt(core, kind, (line) => lines.push(`${core.coreId}:${line}`)),
    });
    const shown: number[] = [];
    machine.console.transmit = (byte) => shown.push(byte);
    expect(machine.run()).toEqual({ kind: 'idle' });
    for (const byte of [65, 66]) machine.console.receive(byte);
    expect(machine.run()).toEqual({ kind: 'idle' });
    machine.console.receive(70);
    machine.run();
    expect(shown).toEqual([66, 67, 71]);
    expect(lines).toEqual(['0:4', '0:4']);
  });
});

describe('chance', () => {
  /** The order in which four equal cores take their turns. */
  function turnsOf(seed: number, budgets: readonly number[] = [600_000]): string {
    let turns = '';
    const program = programOf('turns', (cpu) => {
      const [core] = machine.cores.filter((c) => c.mode === CoreMode.User && c.regs === cpu.regs);
      assert(core !== undefined, 'a program runs on a core');
      turns += core.coreId;
      // All turns take the same time, so the cores are often equal in virtual time.
      while (cpu.poll()) cpu.spend(1250);
    });
    const machine = createCores({
      program,
      coreCount: 4,
      seed,
      onTrap: (core) => core.resumeUser(),
    });
    const outcomes: RunOutcome[] = budgets.map((budget) => machine.run(budget));
    expect(outcomes.every((outcome) => outcome.kind === 'budget')).toBe(true);
    return turns;
  }

  it('is decided by the seed: the same seed gives the same order', () => {
    for (const seed of [0, 1, 7, 0xffff_ffff]) expect(turnsOf(seed)).toBe(turnsOf(seed));
    expect(turnsOf(1).length).toBeGreaterThan(100);
  });

  it('is decided by the seed: other seeds give other orders', () => {
    const orders = new Set(Array.from({ length: 16 }, (_, seed) => turnsOf(seed)));
    expect(orders.size).toBe(16);
  });

  it('prefers no core among equals', () => {
    const rounds = turnsOf(1, [2_000_000]).match(/[0-3]{4}/g) ?? [];
    expect(rounds.length).toBeGreaterThan(300);
    for (const round of rounds) expect([...round].sort().join('')).toBe('0123');
    for (const core of '0123') {
      const share = rounds.filter((round) => round.startsWith(core)).length / rounds.length;
      expect(share).toBeGreaterThan(0.15); // 0.25 expected
      expect(share).toBeLessThan(0.35);
    }
  });

  it('does not depend on how a run is cut into pieces (seed 9)', () => {
    const whole = turnsOf(5);
    const property = fc.property(
      fc.array(fc.integer({ min: 1, max: 60_000 }), { maxLength: 12 }),
      (budgets) => {
        const pieces = turnsOf(5, [...budgets, 1]);
        expect(whole.startsWith(pieces) || pieces.startsWith(whole)).toBe(true);
      },
    );
    fc.assert(property, { seed: 9, numRuns: 20 });
  });
});

describe('a machine', () => {
  it('has as many cores as asked for, numbered from the bootstrap core', () => {
    const machine = createCores({
      program: sleeper,
      onTrap: (core) => core.idle(),
      coreCount: 3,
    });
    expect(machine.cores.map((core) => core.coreId)).toEqual([0, 1, 2]);
    expect(machine.bsp).toBe(machine.cores[0]);
  });

  it.each([0, boardPc64.maxCores + 1])('cannot have %i cores', (coreCount) => {
    const onTrap = (core: Core): void => core.idle();
    expect(() => createCores({ program: sleeper, onTrap, coreCount })).toThrow(/core/);
  });
});

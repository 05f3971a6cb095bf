/** Sleeps of a machine on a clock that the test sets. */

import { bootTarget } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

/** A machine at its prompt, at which `line` was typed, and a clock that stands still. */
function create(line: string) {
  const booted = bootTarget(targetX86_64);
  if (!booted.ok) throw new Error(booted.message);
  const { machine } = booted.system;
  const clock = { ms: 5000 };
  const shown: number[] = [];
  machine.run();
  machine.console.transmit = (byte) => shown.push(byte);
  const pacer = new Pacer(machine, () => clock.ms);
  const type = (text: string): void => {
    for (const byte of Buffer.from(text)) machine.console.receive(byte);
  };
  /** What comes of running on: milliseconds to sleep, rounded, or why else it came back. */
  const run = (): number | string => {
    for (;;) {
      const outcome = pacer.run(1e6);
      if (outcome.kind === 'asleep') return Math.round(outcome.ms);
      if (outcome.kind !== 'budget') return outcome.kind;
    }
  };
  const numbers = (): string[] => Buffer.from(shown).toString().match(/^\d$/gm) ?? [];
  type(`${line}\n`);
  return { clock, pacer, machine, type, run, numbers };
}

describe('a machine for a person', () => {
  it('sleeps as long on the host as in its own time', () => {
    const { clock, run, numbers } = create('run count 3');
    for (const expected of [[], ['1'], ['1', '2']]) {
      expect([run(), numbers()]).toEqual([1000, expected]);
      expect(run()).toBe(1000); // the host has not waited
      clock.ms += 1000;
    }
    expect(run()).toBe('idle');
    expect(numbers()).toEqual(['1', '2', '3']);
  });

  it('sleeps on where it was when somebody types meanwhile', () => {
    const { clock, run, numbers, type } = create('run count 3 &');
    expect(run()).toBe(1000);
    clock.ms += 400;
    type('h');
    expect([run(), numbers()]).toEqual([600, []]);
    clock.ms += 500;
    expect([run(), numbers()]).toEqual([100, []]);
    clock.ms += 130; // overslept
    expect([run(), numbers()]).toEqual([970, ['1']]);
  });

  it('does not make up for the time in which nobody wanted anything', () => {
    const { clock, run, type } = create('');
    expect(run()).toBe('idle');
    clock.ms += 100_000;
    type('run count 1\n');
    expect(run()).toBe(1000);
  });

  it('takes no longer than it takes when it is awake', () => {
    const { run } = create('run ping-pong 10');
    expect(run()).toBe('idle');
  });

  it('is left to itself now and then', () => {
    const { pacer, machine } = create('run ping-pong 1000');
    const { cycles } = machine;
    expect(pacer.run(20_000)).toEqual({ kind: 'budget' });
    expect(machine.cycles - cycles).toBeLessThan(40_000);
  });

  it('can be turned off', () => {
    const { run } = create('exit');
    expect(run()).toBe('off');
  });
});

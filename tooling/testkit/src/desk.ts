/** A whole system, services and all, and somebody who sits at its console. */

import { type BootWishes, programFiles } from '@barreleye/boot';
import { decodeUtf8, encodeUtf8 } from '@barreleye/core';
import type { Machine } from '@barreleye/machine';
import type { AppProgram } from '@barreleye/program';
import { programs } from '@barreleye/programs';
import type { Program } from '@barreleye/spec';
import { systemPrograms } from '@barreleye/userland';
import { boot, type TestTarget } from './boot.ts';

/** What is waited for an answer; a domain that never rests must not hold it up so long. */
const PATIENCE_CYCLES = 2e7;
const SLICE_CYCLES = 1e6;
const CTRL_C = 3;
const CARRIAGE_RETURN = 13;

/** What `Desk.inventory` asks: all that a domain could leave behind. */
const QUESTIONS = ['init', 'nameservice', 'terminal']
  .map((service) => `mem ${service}; caps ${service}; threads ${service}`)
  .join('; ');

export class Desk {
  readonly machine: Machine;
  private readonly shown: number[];
  private readCount: number;

  /** Boot `target` with programs of a test beside its own, and wait for the prompt. */
  constructor({ name, target }: TestTarget, others: readonly Program[], wishes: BootWishes = {}) {
    const apps = others.map((each): AppProgram => ({ name: each.name, link: () => each }));
    const linked = systemPrograms({ paging: target.paging }, [...programs, ...apps]);
    const whole = { ...target, ...programFiles('/sbin', linked) };
    this.machine = boot({ name, target: whole }, { ramBytes: 128 * 2 ** 20, ...wishes }).machine;
    this.shown = [];
    this.readCount = 0;
    this.machine.console.transmit = (byte) => {
      if (byte !== CARRIAGE_RETURN) this.shown.push(byte);
    };
    this.wait();
  }

  /** What has broken, beside programs that are named in `expected`. */
  failures(expected: readonly string[] = []): string[] {
    return this.machine.programFailures
      .filter(({ program }) => !expected.includes(program))
      .map(({ program, error }) => `${program}: ${error}`);
  }

  /** Type a line; what is shown until nothing happens any more, or patience ends. */
  type(line: string): string {
    for (const byte of encodeUtf8(`${line}\n`)) this.machine.console.receive(byte);
    return this.wait();
  }

  interrupt(): string {
    this.machine.console.receive(CTRL_C);
    return this.wait();
  }

  /**
   * What init and the services have, in words that are equal when it is equal: their memory,
   * capabilities and threads, without numbers of threads and domains.
   */
  inventory(): string[] {
    const lines = this.type(`${QUESTIONS}; names; ps`).split('\n');
    const counted = lines.map((line) => line.replace(/^ *\d+ +(\d+ +)?(?=[a-z])/, '').trim());
    return counted.map((line) => line.replace(/ +/g, ' ')).sort();
  }

  private wait(): string {
    for (let left = PATIENCE_CYCLES; left > 0; left -= SLICE_CYCLES) {
      if (this.machine.run(SLICE_CYCLES).kind !== 'budget') break;
    }
    const text = decodeUtf8(this.shown.slice(this.readCount));
    this.readCount = this.shown.length;
    return text;
  }
}

/** `cores`, `ticks` and `exit`: the machine itself. */

import { KernelCap, TASK_KERNEL, unwrap } from '@barreleye/libos';
import { COUNTERS } from '@barreleye/spec';
import { type Command, parseNumber, UsageError } from '../shell.ts';

const MHZ = 1_000_000;

export const cores: Command = {
  name: 'cores',
  usage: '',
  summary: 'show the cores of the machine',
  argCount: [0, 0],
  // biome-ignore lint/correctness/useYield: a command is a generator whether or not it waits
  *run({ os, boot, console }) {
    for (let i = 0; i < boot.coreCount; i++) {
      const state = i === 0 ? 'running' : 'not started';
      console.printLine(`core ${i}: ${os.arch.name}, ${boot.frequency / MHZ} MHz, ${state}`);
    }
  },
};

export const ticks: Command = {
  name: 'ticks',
  usage: '',
  summary: 'show the clock and the counters of the CPU driver',
  argCount: [0, 0],
  *run({ os, boot, console }) {
    const cycles = os.now();
    const ms = ((cycles / boot.frequency) * 1000).toFixed(3);
    console.printLine(`${cycles} cycles since power-on (${ms} ms)`);
    const kernel = new KernelCap(os.sys, TASK_KERNEL);
    for (const [i, { name }] of COUNTERS.entries()) {
      console.printLine(`${unwrap(kernel.counter(i))} ${name}`);
    }
    yield* os.preempt();
  },
};

export const exit: Command = {
  name: 'exit',
  usage: '[code]',
  summary: 'turn the machine off',
  argCount: [0, 1],
  *run({ os, power }, [text = '0']) {
    const code = parseNumber(text);
    if (code > 255) throw new UsageError('an exit code is at most 255');
    power.off(code);
    yield* os.sleep(1);
  },
};

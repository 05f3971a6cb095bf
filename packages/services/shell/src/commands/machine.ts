/** `ticks` and `exit`: the machine itself. */

import { COUNTERS } from '@barreleye/spec';
import { type Command, UsageError } from '../command.ts';
import { formatMilliseconds, parseNumber } from '../numbers.ts';

const MAX_EXIT_CODE = 255;

export const ticks: Command = {
  name: 'ticks',
  usage: '',
  group: 'The machine',
  summary: 'show the clock and the counters of the CPU driver',
  details: [],
  example: 'ticks',
  argCount: [0, 0],
  argKinds: [],
  *run({ os, screen }) {
    const { frequency } = yield* os.system.machine({});
    const { values } = yield* os.system.counters({});
    const cycles = os.now();
    const ms = formatMilliseconds(cycles, frequency);
    screen.printLine(`${cycles} cycles since power-on (${ms})`);
    for (const [i, { name }] of COUNTERS.entries()) screen.printLine(`${values[i] ?? 0} ${name}`);
    return 0;
  },
};

export const exit: Command = {
  name: 'exit',
  usage: '[code]',
  group: 'The machine',
  summary: 'turn the machine off',
  details: [
    'The code, at most 255, is what the host reports. Jobs are killed. A shell that was',
    'started by another only ends, with the code as its exit value.',
  ],
  example: 'exit 3',
  argCount: [0, 1],
  argKinds: ['nothing'],
  *run({ os, session }, [text = '0']) {
    const code = parseNumber(text);
    if (code > MAX_EXIT_CODE) throw new UsageError(`an exit code is at most ${MAX_EXIT_CODE}`);
    session.exitCode = code;
    yield* os.preempt();
    return code;
  },
};

/** `core`: cores are started and stopped, and get another CPU driver, while the system runs. */

import type { Capref, Wait } from '@barreleye/libos';
import type { CoreInfo } from '@barreleye/program';
import { checkState, parseCore } from '../all-cores.ts';
import { type Command, CommandError, UsageError } from '../command.ts';
import { awaitForeground } from '../deadline.ts';
import { formatCount } from '../numbers.ts';
import type { Shell } from '../shell.ts';
import { didYouMean } from '../suggest.ts';

type Authority = Capref<'ProcessManager'>;

/** What can be done with a core, which has been checked; each says what has become of it. */
interface Order {
  /** States in which it makes sense. */
  readonly states: readonly CoreInfo['state'][];
  carryOut(shell: Shell, core: number, authority: Authority): Wait<string>;
}

/** By name. */
const ORDERS: ReadonlyMap<string, Order> = new Map<string, Order>([
  [
    'start',
    {
      states: ['off', 'failed'],
      *carryOut({ os }, core, authority) {
        yield* os.system.startCore({ core, authority });
        return 'runs';
      },
    },
  ],
  [
    'stop',
    {
      states: ['running'],
      *carryOut({ os }, core, authority) {
        yield* os.system.stopCore({ core, authority });
        return 'is off, and all its domains have ended';
      },
    },
  ],
  [
    'replace',
    {
      states: ['running'],
      *carryOut({ os }, core, authority) {
        const { generation } = yield* os.system.replaceCore({ core, authority });
        return `has another CPU driver (${formatCount(generation, 'replacement')} so far)`;
      },
    },
  ],
]);

export const CORE_ORDERS: readonly string[] = [...ORDERS.keys()];

export const core: Command = {
  name: 'core',
  usage: 'start|stop|replace <n>',
  group: 'The machine',
  summary: 'start or stop a core, or replace its CPU driver',
  details: [
    'All domains of a core that is stopped end. A driver is replaced while they run, and',
    'they do not notice. Only the first shell has the authority to do so.',
  ],
  example: 'core stop 1',
  argCount: [2, 2],
  argKinds: ['order', 'anyCore', 'nothing'],
  *run(shell, [name = '', coreText = '']) {
    const order = ORDERS.get(name);
    if (order === undefined) {
      const hint = didYouMean(name, CORE_ORDERS, `there is ${CORE_ORDERS.join(', ')}`);
      throw new UsageError(`'${name}' is nothing that can be done with a core${hint}`);
    }
    const number = parseCore(coreText);
    yield* checkState(shell, number, order.states);
    if (name === 'stop' && number === shell.own.core) {
      throw new UsageError(`this shell runs on core ${number}`);
    }
    const { authority } = shell;
    if (authority === undefined) {
      throw new CommandError('this shell has no authority over cores; the first shell has it');
    }
    const step = order.carryOut(shell, number, authority);
    const result = yield* awaitForeground(shell, `core ${number}`, step);
    shell.screen.printLine(`core ${number} ${result}`);
    return 0;
  },
};

/** `cores`: the cores of the machine, and what each says of itself. */

import { formatBytes } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import type { CoreStatus } from '@barreleye/program';
import { askCores, coresOf } from '../all-cores.ts';
import type { Command } from '../command.ts';
import type { Outcome } from '../deadline.ts';
import { explain } from '../explain.ts';
import { formatCount } from '../numbers.ts';
import type { Shell } from '../shell.ts';

const MHZ = 1_000_000;

/** States in which a core says nothing of itself. */
const SILENT = {
  off: 'off',
  starting: 'starting',
  stopping: 'stopping',
  failed: 'failed',
} as const;

export const cores: Command = {
  name: 'cores',
  usage: '',
  group: 'The machine',
  summary: 'show the cores of the machine',
  details: ['Of those that run, also how many domains they have, and their RAM.'],
  example: 'cores',
  argCount: [0, 0],
  argKinds: [],
  *run(shell) {
    const { os, screen } = shell;
    const { frequency } = yield* os.system.machine({});
    const said = yield* askCores(shell, (core) => statusOf(shell, core));
    for (const { core, state, why } of yield* coresOf(shell)) {
      const outcome = said.find((each) => each.core === core)?.outcome;
      const arch = outcome?.kind === 'value' ? outcome.value.arch : os.arch.name;
      const silent = state === 'running' ? 'running' : SILENT[state];
      const what = outcome === undefined ? silent : describe(outcome);
      const line = `core ${core}: ${arch}, ${frequency / MHZ} MHz, ${what}`;
      screen.printLine(why === '' ? line : `${line}: ${why}`);
    }
    return 0;
  },
};

function* statusOf({ os }: Shell, core: number): Wait<CoreStatus> {
  const { status } = yield* os.system.coreStatus({ core });
  return status;
}

function describe(outcome: Outcome<CoreStatus>): string {
  if (outcome.kind === 'error') return `running, but ${explain(outcome.error)}`;
  const { scheduler, domainCount, totalBytes, freeBytes, packageId } = outcome.value;
  const place = packageId === undefined ? '' : `package ${packageId}, `;
  const domains = formatCount(domainCount, 'domain');
  const used = formatBytes(totalBytes - freeBytes);
  const total = formatBytes(totalBytes);
  return `running, ${place}scheduler ${scheduler}, ${domains}, ${used} of ${total} used`;
}

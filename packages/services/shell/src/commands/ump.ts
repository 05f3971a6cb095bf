/** `ump`: the channels between cores. */

import type { Wait } from '@barreleye/libos';
import type { ChannelInfo } from '@barreleye/program';
import { formatAddress } from '../address.ts';
import { askCores, showSilent } from '../all-cores.ts';
import type { Command } from '../command.ts';
import type { Shell } from '../shell.ts';
import { formatTable } from '../table.ts';

const COLUMNS = [
  { heading: 'core', align: 'right' },
  { heading: 'channel', align: 'right' },
  { heading: 'domain', align: 'right' },
  { heading: 'side', align: 'left' },
  { heading: 'with core', align: 'right' },
  { heading: 'state', align: 'left' },
] as const;

export const ump: Command = {
  name: 'ump',
  usage: '',
  group: 'The machine',
  summary: 'list the channels between cores',
  details: [
    'Each has an end on two cores, with a number on either. Waiting: for the service to',
    'accept it; closed: here, and not there yet; left: by the other side.',
  ],
  example: 'ump',
  argCount: [0, 0],
  argKinds: [],
  *run(shell) {
    const { own, screen } = shell;
    const said = yield* askCores(shell, (core) => channelsOf(shell, core));
    const rows = said.flatMap(({ core, outcome }) => {
      const ends = outcome.kind === 'value' ? outcome.value : [];
      return ends.map(({ channel, domain, side, peerCore, state }) => {
        const address = formatAddress(own.core, { core, id: domain });
        return [String(core), String(channel), address, side, String(peerCore), state];
      });
    });
    if (rows.length === 0) screen.printLine('no domains of different cores have channels');
    else for (const line of formatTable(COLUMNS, rows)) screen.printLine(line);
    showSilent(shell, said);
    return 0;
  },
};

/** All ends that a core has. */
function* channelsOf({ os }: Shell, core: number): Wait<readonly ChannelInfo[]> {
  const all: ChannelInfo[] = [];
  for (let from = 0; ; from = (all.at(-1)?.channel ?? 0) + 1) {
    const { channels } = yield* os.system.channels({ core, from });
    if (channels.length === 0) return all;
    all.push(...channels);
  }
}

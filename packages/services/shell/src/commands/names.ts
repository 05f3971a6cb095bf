/** `names`: who serves what. */

import { encodeUtf8 } from '@barreleye/core';
import { MAX_SERVICE_NAME_BYTES } from '@barreleye/program';
import { formatAddress } from '../address.ts';
import { type Command, UsageError } from '../command.ts';
import { ask } from '../deadline.ts';
import { formatTable } from '../table.ts';

const COLUMNS = [
  { heading: 'name', align: 'left' },
  { heading: 'interface', align: 'left' },
  { heading: 'domain', align: 'right' },
] as const;

export const names: Command = {
  name: 'names',
  usage: '[prefix]',
  group: 'Domains',
  summary: 'list the services that have a name',
  details: ['With a prefix: only names that begin with it.'],
  example: 'names term',
  argCount: [0, 1],
  argKinds: ['name', 'nothing'],
  *run(shell, [prefix = '']) {
    if (encodeUtf8(prefix).length > MAX_SERVICE_NAME_BYTES) {
      throw new UsageError(`a name has at most ${MAX_SERVICE_NAME_BYTES} bytes`);
    }
    const list = yield* ask(shell, 'the name service', shell.os.names.list(prefix));
    const rows = list.map(({ name, interfaceName, core, domainId }) => {
      const address = formatAddress(shell.own.core, { core, id: domainId });
      return [name, interfaceName, address];
    });
    if (rows.length === 0) shell.screen.printLine(`no names begin with '${prefix}'`);
    else for (const line of formatTable(COLUMNS, rows)) shell.screen.printLine(line);
    return 0;
  },
};

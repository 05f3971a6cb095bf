/** The name service as a domain: init is told its service reference, and tells everybody. */

import { program } from '@barreleye/program';
import { serveClient } from './connection.ts';
import { createDirectory } from './directory.ts';

/** The program `nameservice`. */
export const nameservice = program('nameservice', function* (os) {
  const { services, system, scheduler: threads } = os;
  const server = {
    threads,
    directory: createDirectory(),
    ownerOf: (iref: number) => system.serviceOwner({ iref }),
  };
  const listener = services.listen();
  const { iref } = yield* system.export({ endpoint: listener.cap });
  yield* system.offerNameService({ iref });
  yield* services.acceptEach(listener, 'names', (client) => serveClient(server, client));
});

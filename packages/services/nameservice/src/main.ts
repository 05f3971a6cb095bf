/** The name service as a domain: init is told where it listens, and tells everybody. */

import { OsError, type Wait } from '@barreleye/libos';
import { LmpListener } from '@barreleye/lmp';
import { MAX_CHANNELS_PER_PEER, type ProgramOs, program } from '@barreleye/program';
import { DomainCaps } from './cap-store.ts';
import { serveClient } from './connection.ts';
import { Directory } from './directory.ts';

/** The program `nameservice`. */
export const nameservice = program('nameservice', function* (os) {
  const caps = new DomainCaps(os.sys, os.slots);
  const directory = new Directory(caps);
  const server = { threads: os.scheduler, caps, directory, spare: () => spare(os) };
  const listener = new LmpListener(os, { maxPerPeer: MAX_CHANNELS_PER_PEER });
  yield* os.system.offerNameService({ endpoint: listener.cap });
  for (;;) {
    const channel = yield* listener.accept({ watch: os.connections.watch });
    os.spawnThread('serves names', serveClient(server, channel));
    yield* spare(os);
  }
});

/** When there is no memory for more slots, those that are left still serve. */
function* spare(os: ProgramOs): Wait<void> {
  try {
    yield* os.memory.spare();
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
  }
}

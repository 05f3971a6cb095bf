/** The other half of `ping-pong`, which starts it: serves until the channel is closed. */

import { connect } from '@barreleye/lmp';
import { program } from '@barreleye/program';
import { serve } from '@barreleye/rpc';
import { Ping } from './ping.ts';

export const pong = program('pong', function* (os) {
  const { watch } = os.connections; // notices when the other domain is killed
  const channel = yield* connect(os, os.argCap(0), { watch });
  yield* serve(os.scheduler, channel, Ping, { ping: ({ round }) => ({ round }) });
});

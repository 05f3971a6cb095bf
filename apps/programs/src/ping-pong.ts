/**
 * Starts a second domain, `pong`, and calls it again and again. The two need no name to find each
 * other: `pong` is born with the endpoint at which this one listens.
 */

import { holds } from '@barreleye/libos';
import { LmpListener } from '@barreleye/lmp';
import { program } from '@barreleye/program';
import { bindClient } from '@barreleye/rpc';
import { numberFrom } from './number-from.ts';
import { Ping } from './ping.ts';

export const pingPong = program('ping-pong', function* (os) {
  const rounds = numberFrom(os.args[1], 1000);
  const listener = new LmpListener(os);
  const caps = [holds<'Null'>(listener.cap)];
  yield* os.system.spawn({ program: 'pong', args: [], environment: [], caps });
  const channel = yield* listener.accept({ watch: os.connections.watch });
  const pong = yield* bindClient(os.scheduler, channel, Ping);

  const start = os.now(); // cycles
  for (let round = 0; round < rounds; round++) yield* pong.ping({ round });
  const cycles = os.now() - start;
  channel.close(); // and with it, pong ends

  const { frequency } = yield* os.system.machine({}); // cycles of a second
  const perSecond = Math.round((rounds * frequency) / cycles);
  yield* os.printLine(`${rounds} rounds: ${perSecond} in a simulated second`);
});

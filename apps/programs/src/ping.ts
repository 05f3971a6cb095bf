/** What `ping-pong` asks of `pong`. */

import { call, defineInterface, u32 } from '@barreleye/rpc';

export const Ping = defineInterface('ping', {
  ping: call({ round: u32 }, { round: u32 }),
});

/**
 * Whom a domain has channels with. Nobody tells a channel that the domain at its other end was
 * killed; so a thread waits for the news that some domain has ended, and then has all looked at.
 */

import type { Os, Wait } from '@barreleye/libos';
import { PeerWatch } from '@barreleye/lmp';
import type { SystemClient } from './interfaces/system.ts';

/** Channels that one dispatcher can have with a service, so that it leaves room for others. */
export const MAX_CHANNELS_PER_PEER = 16;

export class Connections {
  private readonly os: Os;
  private readonly system: SystemClient;
  private readonly watched: PeerWatch;
  private isWatching: boolean;

  constructor(os: Os, system: SystemClient) {
    this.os = os;
    this.system = system;
    this.watched = new PeerWatch();
    this.isWatching = false;
  }

  /**
   * What channels and attempts to connect are to be made with, or else they do not notice that the
   * other side was killed: `connect(os, endpoint, { watch: os.connections.watch })`.
   */
  get watch(): PeerWatch {
    if (!this.isWatching) {
      this.isWatching = true;
      this.os.spawnThread('watches peers', this.awaitDeaths(), { isDaemon: true });
    }
    return this.watched;
  }

  private *awaitDeaths(): Wait<never> {
    let seen = 0;
    for (;;) {
      ({ seen } = yield* this.system.awaitDeath({ seen }));
      this.watched.checkAll();
    }
  }
}

/**
 * The channels of a domain. Nobody tells a channel that the domain at its other end was killed; so
 * while there are any, a thread waits for the news that some domain has ended, and then looks.
 */

import type { Os, Wait } from '@barreleye/libos';
import type { LmpChannel } from '@barreleye/lmp';
import type { Client } from '@barreleye/rpc';
import type { System } from './interfaces/system.ts';

export class Connections {
  private readonly os: Os;
  private readonly system: Client<(typeof System)['methods']>;
  private readonly channels: Set<LmpChannel>;
  private isWatching: boolean;

  constructor(os: Os, system: Client<(typeof System)['methods']>) {
    this.os = os;
    this.system = system;
    this.channels = new Set();
    this.isWatching = false;
  }

  /** Watch a channel until it has ended. */
  add(channel: LmpChannel): void {
    this.channels.add(channel);
    if (this.isWatching) return;
    this.isWatching = true;
    this.os.spawnThread('watches channels', this.watch(), { isDaemon: true });
  }

  private *watch(): Wait<void> {
    let seen = 0;
    while (this.channels.size > 0) {
      ({ seen } = yield* this.system.awaitDeath({ seen }));
      for (const channel of this.channels) {
        channel.checkPeer();
        if (channel.isDead) this.channels.delete(channel);
      }
    }
    this.isWatching = false;
  }
}

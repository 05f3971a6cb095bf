/**
 * Channels of a domain with those of other cores. The monitor lends the frame and a bell to notify
 * the other side; the domain is notified at a bell of its own, which it has when it needs one.
 */

import { assert, isOk } from '@barreleye/core';
import { Mutex, notifySend, type Os, OsError, unwrap, type Wait } from '@barreleye/libos';
import type { Transport } from '@barreleye/rpc';
import { PageFlag } from '@barreleye/spec';
import {
  createRungPoller,
  MappedWords,
  UmpEnd,
  type UmpPoller,
  type UmpSide,
  UmpTransport,
  umpSlotsIn,
} from '@barreleye/ump';
import type { DomainMemory } from './domain-memory.ts';
import { FarCourier } from './far-courier.ts';
import { CHANNEL_BYTES, type SystemClient } from './interfaces/system.ts';

/** Slots each way. */
export const CHANNEL_SLOTS: number = umpSlotsIn(CHANNEL_BYTES);
/** Words of the endpoint of the bell; each ring takes one. */
const BELL_WORDS = 16;

/** What an end is made of, as init gives it. */
type Lent = ReturnType<SystemClient['bindAcross']> extends Wait<infer R> ? R : never;

export class FarChannels {
  private readonly os: Os;
  private readonly memory: Pick<DomainMemory, 'reserve' | 'vspace'>;
  private readonly system: SystemClient;
  private readonly starting: Mutex;
  private poller: UmpPoller | undefined;

  constructor(os: Os, memory: Pick<DomainMemory, 'reserve' | 'vspace'>, system: SystemClient) {
    this.os = os;
    this.memory = memory;
    this.system = system;
    this.starting = new Mutex(os, 'a bell');
    this.poller = undefined;
  }

  /** A channel to a service of another core. @errors those of `System.bindAcross` */
  *bind(iref: number): Wait<Transport> {
    const poller = yield* this.ready();
    return yield* this.open(yield* this.system.bindAcross({ iref }), 'client', poller);
  }

  /** The other end of a channel that was announced. @errors those of `System.acceptAcross` */
  *accept(channel: number): Wait<Transport> {
    const poller = yield* this.ready();
    return yield* this.open(yield* this.system.acceptAcross({ channel }), 'server', poller);
  }

  /** A bell, and a thread that answers it. */
  *ready(): Wait<UmpPoller> {
    const { os, system, starting } = this;
    yield* starting.lock();
    try {
      if (this.poller === undefined) {
        const bell = os.createEndpoint(BELL_WORDS);
        try {
          yield* system.offerBell({ endpoint: bell.cap });
        } catch (error) {
          os.destroyEndpoint(bell);
          throw error;
        }
        this.poller = createRungPoller(os, bell.buffer);
      }
      return this.poller;
    } finally {
      starting.unlock();
    }
  }

  private *open({ channel, frame, bell }: Lent, side: UmpSide, poller: UmpPoller): Wait<Transport> {
    const { os, memory, system } = this;
    const giveBack = (): void => {
      os.drop(frame);
      os.drop(bell);
      const step = forget(system.closeAcross({ channel }));
      os.spawnThread('gives a channel back', step, { isDaemon: true });
    };
    let base: number;
    try {
      yield* memory.reserve(0);
      const flags = PageFlag.Read | PageFlag.Write;
      const request = { frame, bytes: CHANNEL_BYTES, flags, name: `channel ${channel}` };
      base = unwrap(memory.vspace.map(request)).base;
    } catch (error) {
      giveBack();
      throw error;
    }
    // A bell that the monitor has taken back rings for nobody.
    const ringDoorbell = (): void => void notifySend(os.sys, bell);
    const words = new MappedWords(os.sys.cpu, base);
    const end = new UmpEnd(words, 0, side, { slotCount: CHANNEL_SLOTS, ringDoorbell });
    const courier = new FarCourier(os, system, channel);
    return new UmpTransport(end, poller, courier, () => {
      courier.close();
      const err = memory.vspace.unmap(base);
      assert(isOk(err), 'the frame of a channel is mapped until it is closed');
      giveBack();
    });
  }
}

/** init has given up the channel by itself, if it says so. */
function* forget(step: Wait<unknown>): Wait<void> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
  }
}

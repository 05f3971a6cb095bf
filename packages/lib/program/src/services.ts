/** Services by reference: to provide one, and to be bound to one, on this core or another. */

import { type Os, OsError, type Wait } from '@barreleye/libos';
import { connect, LmpChannel, LmpListener } from '@barreleye/lmp';
import {
  bindClient,
  type Client,
  type Handlers,
  type Interface,
  type Methods,
  type ServeOptions,
  serve,
  type Transport,
} from '@barreleye/rpc';
import { type Connections, MAX_CHANNELS_PER_PEER } from './connections.ts';
import type { DomainMemory } from './domain-memory.ts';
import { FarChannels } from './far-channels.ts';
import type { SystemClient } from './interfaces/system.ts';
import { irefCore } from './iref.ts';

/** One client of a service, as its handlers see it. */
export interface Connection {
  /** Have `callback` called when the client is gone; handlers for it may still wait then. */
  onClose(callback: () => void): void;
}

/** The handlers of a service: for all clients, or made for each. */
export type ServiceHandlers<M extends Methods> =
  | Handlers<M>
  | ((connection: Connection) => Handlers<M>);

/** What a domain has to do with others. */
export interface Surroundings {
  readonly os: Os;
  /** Sees to it that there is what cannot wait: see `DomainMemory.spare`. */
  readonly memory: Pick<DomainMemory, 'spare' | 'reserve' | 'vspace'>;
  readonly connections: Connections;
  readonly system: SystemClient;
}

export class Services {
  readonly system: SystemClient;
  private readonly around: Surroundings;
  /** Channels with other cores. */
  readonly far: FarChannels;

  constructor(around: Surroundings) {
    this.system = around.system;
    this.around = around;
    this.far = new FarChannels(around.os, around.memory, around.system);
  }

  /** What clients connect to: it leaves room for many of them. */
  listen(): LmpListener {
    return new LmpListener(this.around.os, { maxPerPeer: MAX_CHANNELS_PER_PEER });
  }

  /**
   * A channel to a service.
   * @errors MON_ERR_NO_SERVICE and others of `System.bind` and `System.bindAcross`, under
   *   RPC_ERR_REMOTE; LIB_ERR_LMP_CONNECT
   */
  *connect(iref: number): Wait<Transport> {
    const { os, memory, connections, system } = this.around;
    yield* memory.spare();
    if (irefCore(iref) !== os.coreId) return yield* this.far.bind(iref);
    const { endpoint } = yield* system.bind({ iref });
    try {
      return yield* connect(os, endpoint, { watch: connections.watch });
    } finally {
      os.drop(endpoint);
    }
  }

  /** A client of a service. @errors those of `connect`; RPC_ERR_INTERFACE under RPC_ERR_REMOTE */
  *bind<M extends Methods>(iref: number, to: Interface<M>): Wait<Client<M>> {
    const transport = yield* this.connect(iref);
    return yield* bindClient(this.around.os.scheduler, transport, to);
  }

  /** Accept at `listener` for ever, and serve each client, near or far, in a thread. */
  *acceptAll<M extends Methods>(
    listener: LmpListener,
    provided: Interface<M>,
    handlers: ServiceHandlers<M>,
    options?: ServeOptions,
  ): Wait<never> {
    const { os } = this.around;
    return yield* this.acceptEach(listener, provided.name, function* (transport) {
      const callbacks: (() => void)[] = [];
      const connection = { onClose: (callback: () => void) => void callbacks.push(callback) };
      const table = typeof handlers === 'function' ? handlers(connection) : handlers;
      const onEnd = (): void => {
        options?.onEnd?.();
        for (const callback of callbacks) callback();
      };
      yield* serve(os.scheduler, transport, provided, table, { ...options, onEnd });
    });
  }

  /** Accept at `listener` for ever, and have `talk` called with each channel, in a thread. */
  *acceptEach(
    listener: LmpListener,
    name: string,
    talk: (transport: Transport) => Wait<unknown>,
  ): Wait<never> {
    const { os, memory, connections } = this.around;
    for (;;) {
      const accepted = yield* listener.acceptAny({ watch: connections.watch });
      yield* memory.spare();
      const body = accepted instanceof LmpChannel ? talk(accepted) : this.talkFar(accepted, talk);
      os.spawnThread(`serves ${name}`, body);
    }
  }

  private *talkFar(
    { channel }: { readonly channel: number },
    talk: (transport: Transport) => Wait<unknown>,
  ): Wait<void> {
    let transport: Transport;
    try {
      transport = yield* this.far.accept(channel);
    } catch (error) {
      if (error instanceof OsError) return; // nobody has announced it, or not any more
      throw error;
    }
    yield* talk(transport);
  }
}

/** Services by name: `serve` provides one, `connect` finds one. */

import { Mutex, type Os, TASK_DOMAIN, type Wait } from '@barreleye/libos';
import { connect, LmpListener } from '@barreleye/lmp';
import {
  bindClient,
  type Client,
  type Handlers,
  type Interface,
  type Methods,
  type ServeOptions,
  serve,
} from '@barreleye/rpc';
import { type Connections, MAX_CHANNELS_PER_PEER } from './connections.ts';
import type { DomainMemory } from './domain-memory.ts';
import { MAX_LISTED_NAMES, type NameInfo, NameService } from './interfaces/name-service.ts';
import type { System } from './interfaces/system.ts';

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
  readonly memory: Pick<DomainMemory, 'spare'>;
  readonly connections: Connections;
  readonly system: Client<(typeof System)['methods']>;
}

export class Names {
  private readonly around: Surroundings;
  private readonly binding: Mutex;
  private client: Client<(typeof NameService)['methods']> | undefined;

  constructor(around: Surroundings) {
    this.around = around;
    this.binding = new Mutex(around.os, 'name service');
    this.client = undefined;
  }

  /**
   * Serve all who connect to `name`, each in a thread, as long as the domain lives.
   * @errors NAME_ERR_EXISTS and others of `NameService.register`
   */
  *serve<M extends Methods>(
    name: string,
    provided: Interface<M>,
    handlers: ServiceHandlers<M>,
    options?: ServeOptions,
  ): Wait<void> {
    const { os, memory } = this.around;
    const service = yield* this.service();
    yield* memory.spare();
    const listener = new LmpListener(os, { maxPerPeer: MAX_CHANNELS_PER_PEER });
    const { cap: endpoint } = listener;
    try {
      yield* service.register({
        name,
        interfaceName: provided.name,
        endpoint,
        owner: TASK_DOMAIN,
      });
    } catch (error) {
      listener.close();
      throw error;
    }
    const body = acceptAll(this.around, listener, provided, handlers, options);
    os.spawnThread(`listens as ${name}`, body);
  }

  /**
   * A client of the service `name`.
   * @param isPatient wait until there is such a service
   * @errors NAME_ERR_UNKNOWN; RPC_ERR_INTERFACE it is another kind of service;
   *   LIB_ERR_LMP_CONNECT; all but the last under RPC_ERR_REMOTE
   */
  *connect<M extends Methods>(name: string, to: Interface<M>, isPatient = false): Wait<Client<M>> {
    const { os, memory, connections } = this.around;
    const service = yield* this.service();
    yield* memory.spare();
    const { endpoint } = yield* isPatient ? service.waitFor({ name }) : service.lookup({ name });
    try {
      const channel = yield* connect(os, endpoint, { watch: connections.watch });
      return yield* bindClient(os.scheduler, channel, to);
    } finally {
      os.drop(endpoint);
    }
  }

  /** Wait until somebody serves `name`. */
  *waitFor(name: string): Wait<void> {
    const service = yield* this.service();
    const { endpoint } = yield* service.waitFor({ name });
    this.around.os.drop(endpoint);
  }

  /** Take a name back. @errors NAME_ERR_UNKNOWN; NAME_ERR_NOT_OWNER */
  *deregister(name: string): Wait<void> {
    const service = yield* this.service();
    yield* service.deregister({ name });
  }

  /** Who serves names that begin with `prefix`. */
  *list(prefix: string): Wait<readonly NameInfo[]> {
    const service = yield* this.service();
    const listed: NameInfo[] = [];
    for (let last: NameInfo | undefined; ; last = listed.at(-1)) {
      const { names } = yield* service.list({ prefix, ...(last && { after: last.name }) });
      listed.push(...names);
      if (names.length < MAX_LISTED_NAMES) return listed;
    }
  }

  /** The name service itself; the first who needs it connects. */
  private *service(): Wait<Client<(typeof NameService)['methods']>> {
    const { os, system, connections } = this.around;
    yield* this.binding.lock();
    try {
      if (this.client === undefined) {
        const { endpoint } = yield* system.nameService({});
        const channel = yield* connect(os, endpoint, { watch: connections.watch });
        this.client = yield* bindClient(os.scheduler, channel, NameService);
        os.drop(endpoint);
      }
      return this.client;
    } finally {
      this.binding.unlock();
    }
  }
}

/** Accept at `listener` for ever, and serve each client in a thread. */
export function* acceptAll<M extends Methods>(
  { os, connections, memory }: Omit<Surroundings, 'system'>,
  listener: LmpListener,
  provided: Interface<M>,
  handlers: ServiceHandlers<M>,
  options?: ServeOptions,
): Wait<never> {
  for (;;) {
    const channel = yield* listener.accept({ watch: connections.watch });
    yield* memory.spare();
    const callbacks: (() => void)[] = [];
    const connection = { onClose: (callback: () => void) => void callbacks.push(callback) };
    const table = typeof handlers === 'function' ? handlers(connection) : handlers;
    const onEnd = (): void => {
      options?.onEnd?.();
      for (const callback of callbacks) callback();
    };
    const body = serve(os.scheduler, channel, provided, table, { ...options, onEnd });
    os.spawnThread(`serves ${provided.name}`, body);
  }
}

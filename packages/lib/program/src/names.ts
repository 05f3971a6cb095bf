/** Services by name: `serve` provides one, `connect` finds one. */

import { Mutex, type Os, type Wait } from '@barreleye/libos';
import type { Client, Interface, Methods, ServeOptions } from '@barreleye/rpc';
import { MAX_LISTED_NAMES, type NameInfo, NameService } from './interfaces/name-service.ts';
import type { ServiceHandlers, Services } from './services.ts';

export class Names {
  private readonly os: Os;
  private readonly services: Services;
  private readonly binding: Mutex;
  private client: Client<(typeof NameService)['methods']> | undefined;

  constructor(os: Os, services: Services) {
    this.os = os;
    this.services = services;
    this.binding = new Mutex(os, 'name service');
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
    const { os, services } = this;
    const service = yield* this.service();
    const listener = services.listen();
    try {
      const { iref } = yield* services.system.export({ endpoint: listener.cap });
      try {
        yield* service.register({ name, interfaceName: provided.name, iref });
      } catch (error) {
        yield* services.system.withdraw({ iref });
        throw error;
      }
    } catch (error) {
      listener.close();
      throw error;
    }
    const body = services.acceptAll(listener, provided, handlers, options);
    os.spawnThread(`listens as ${name}`, body);
  }

  /**
   * A client of the service `name`.
   * @param isPatient wait until there is such a service
   * @errors NAME_ERR_UNKNOWN; RPC_ERR_INTERFACE it is another kind of service;
   *   LIB_ERR_LMP_CONNECT; all but the last under RPC_ERR_REMOTE
   */
  *connect<M extends Methods>(name: string, to: Interface<M>, isPatient = false): Wait<Client<M>> {
    const service = yield* this.service();
    const { iref } = yield* isPatient ? service.waitFor({ name }) : service.lookup({ name });
    return yield* this.services.bind(iref, to);
  }

  /** Wait until somebody serves `name`. */
  *waitFor(name: string): Wait<void> {
    const service = yield* this.service();
    yield* service.waitFor({ name });
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
    const { services } = this;
    yield* this.binding.lock();
    try {
      if (this.client === undefined) {
        const { iref } = yield* services.system.nameService({});
        this.client = yield* services.bind(iref, NameService);
      }
      return this.client;
    } finally {
      this.binding.unlock();
    }
  }
}

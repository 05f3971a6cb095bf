/**
 * What the name service does for one client. A connection owns the names that are registered over
 * it, and takes them along when it ends. Whatever a client sends, each capability that came with it
 * becomes the endpoint of a name or is deleted.
 */

import { type Errval, isOk } from '@barreleye/core';
import { OsError, unwrap, type Wait } from '@barreleye/libos';
import { MAX_LISTED_NAMES, NameService } from '@barreleye/program';
import {
  type Handlers,
  Parking,
  serve,
  type Threads,
  type Transport,
  type ValueOf,
} from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import type { CapStore } from './cap-store.ts';
import type { Directory, Entry } from './directory.ts';
import { isServiceName } from './name.ts';

/** Calls of one client that can wait for names at once. */
export const MAX_WAITS = 64;

/** What all connections share. */
export interface NameServer {
  readonly threads: Threads;
  readonly caps: CapStore;
  readonly directory: Directory;
  /** See to it, as far as possible, that there are slots for more names. */
  spare(): Wait<void>;
}

type Methods = typeof NameService.methods;
type RegisterArgs = ValueOf<Methods['register']['args']>;
type Listener = ValueOf<Methods['lookup']['reply']>;

/** Serve the client at the other end of `transport` until it is gone, or has to go. */
export function* serveClient(server: NameServer, transport: Transport): Wait<Errval> {
  const connection = new Connection(server);
  return yield* serve(server.threads, transport, NameService, connection.handlers, {
    // At its limit `serve` receives nothing.
    maxActive: MAX_WAITS + 1,
    onEnd: () => connection.close(),
  });
}

export class Connection {
  readonly handlers: Handlers<Methods>;
  private readonly server: NameServer;
  private readonly waits: Set<Parking>;
  private isClosed: boolean;

  constructor(server: NameServer) {
    const { directory } = server;
    this.server = server;
    this.waits = new Set();
    this.isClosed = false;
    this.handlers = {
      register: (args) => this.register(args),
      deregister: ({ name }) => {
        check(directory.deregister(this, name));
        return {};
      },
      lookup: ({ name }) => this.give(unwrap(directory.lookup(name))),
      waitFor: ({ name }) => this.waitFor(name),
      list: ({ prefix, after }) => {
        return { names: directory.list({ prefix, after, maxCount: MAX_LISTED_NAMES }) };
      },
    };
  }

  /** The client is gone: its names are free, and nothing waits for it. */
  close(): void {
    this.isClosed = true;
    this.server.directory.dropOwner(this);
    for (const parking of this.waits) parking.ready();
  }

  private *register(args: RegisterArgs): Wait<Record<never, never>> {
    yield* this.server.spare();
    check(this.take(args));
    return {};
  }

  /** @errors NAME_ERR_INVALID also: a capability is not what it should be; RPC_ERR_CLOSED */
  private take({ name, interfaceName, endpoint, owner }: RegisterArgs): Errval {
    const { caps, directory } = this.server;
    const domain = caps.identify(owner);
    caps.drop(owner);
    const isEndpoint = caps.identify(endpoint)?.type === 'EndPointLMP';
    const isSound = domain?.type === 'Domain' && isEndpoint && isServiceName(interfaceName);
    if (isSound && !this.isClosed) {
      return directory.register(this, name, { endpoint, interfaceName, domainId: domain.arg1 });
    }
    caps.drop(endpoint);
    return isSound ? Err.RPC_ERR_CLOSED : Err.NAME_ERR_INVALID;
  }

  /** A copy for the client. The name may be free again before the answer is sent. */
  private give({ endpoint, interfaceName }: Entry): Listener {
    return { endpoint: unwrap(this.server.caps.copy(endpoint)), interfaceName };
  }

  private *waitFor(name: string): Wait<Listener> {
    const { directory } = this.server;
    for (;;) {
      const entry = directory.lookup(name);
      if (entry.ok) return this.give(entry.value);
      if (this.isClosed) throw new OsError(Err.RPC_ERR_CLOSED);
      if (this.waits.size >= MAX_WAITS) throw new OsError(Err.RPC_ERR_TOO_MANY_CALLS);
      yield* this.awaitName(name);
    }
  }

  /** Wait until somebody registers `name`, or the client is gone. */
  private *awaitName(name: string): Wait<void> {
    const { threads, directory } = this.server;
    const parking = new Parking(threads, `the name ${name}`);
    const found = (): void => parking.ready();
    check(directory.waitFor(name, found));
    this.waits.add(parking);
    parking.park();
    yield;
    this.waits.delete(parking);
    directory.cancelWait(name, found);
  }
}

function check(err: Errval): void {
  if (!isOk(err)) throw new OsError(err);
}

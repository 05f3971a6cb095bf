/**
 * What the name service does for one client. A connection owns the names that are registered over
 * it, and takes them along when it ends.
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
import { type Directory, type Entry, listNames } from './directory.ts';
import { isServiceName } from './name.ts';

/** Calls of one client that can wait for names at once. */
export const MAX_WAITS = 64;

/** What all connections share. */
export interface NameServer {
  readonly threads: Threads;
  readonly directory: Directory;
  /** Whose service a reference is. @errors MON_ERR_NO_SERVICE */
  ownerOf(iref: number): Wait<{ readonly core: number; readonly id: number }>;
}

type Methods = typeof NameService.methods;
type RegisterArgs = ValueOf<Methods['register']['args']>;

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
        unwrap(directory.deregister(this, name));
        return {};
      },
      lookup: ({ name }) => unwrap(directory.lookup(name)).entry,
      waitFor: ({ name }) => this.waitFor(name),
      list: ({ prefix, after }) => {
        return { names: listNames(directory, { prefix, after, maxCount: MAX_LISTED_NAMES }) };
      },
    };
  }

  /** The client is gone: its names are free, and nothing waits for it. */
  close(): void {
    this.isClosed = true;
    this.server.directory.dropOwner(this);
    for (const parking of this.waits) parking.ready();
  }

  private *register({ name, interfaceName, iref }: RegisterArgs): Wait<Record<never, never>> {
    if (!isServiceName(interfaceName)) throw new OsError(Err.NAME_ERR_INVALID);
    const { core, id } = yield* this.server.ownerOf(iref);
    if (this.isClosed) throw new OsError(Err.RPC_ERR_CLOSED);
    const entry = { iref, interfaceName, core, domainId: id };
    check(this.server.directory.register(this, name, entry));
    return {};
  }

  private *waitFor(name: string): Wait<Entry> {
    const { directory } = this.server;
    for (;;) {
      const entry = directory.lookup(name);
      if (entry.ok) return entry.value.entry;
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

/** A name service and its clients in one loop, over transports in memory. */

import type { Prng } from '@barreleye/core';
import { OsError, type Wait } from '@barreleye/libos';
import { NameService } from '@barreleye/program';
import { bindClient, type Client, RpcError } from '@barreleye/rpc';
import { Loop, type MemoryTransport, memoryPair } from '@barreleye/rpc/testing';
import { Err } from '@barreleye/spec';
import { createDirectory, type NameServer, serveClient } from '../src/index.ts';

export type Names = Client<typeof NameService.methods>;

/** What `lookup` and `waitFor` answer. */
export type Answer = readonly [iref: number, interfaceName: string];

/** References above this are nobody's. */
export const MAX_SERVED = 1000;

/** Words of a message of the transports. */
export const WORDS = 9;

export class World {
  readonly loop: Loop;
  readonly server: NameServer;
  /** What each `serveClient` returned. */
  readonly served: number[] = [];

  constructor(prng?: Prng, maxNames?: number) {
    this.loop = new Loop(prng);
    const directory = createDirectory(maxNames);
    this.server = { threads: this.loop, directory, ownerOf: (iref) => this.ownerOf(iref) };
  }

  /** Names that are taken, and names that somebody waits for. */
  get counts(): readonly [taken: number, awaited: number] {
    const { count, awaitedCount } = this.server.directory;
    return [count, awaitedCount];
  }

  /** The client's end of a connection to the service. */
  connect(depth = 4): MemoryTransport {
    const [here, there] = memoryPair(WORDS, depth);
    this.loop.create('server', this.serve(there));
    return here;
  }

  /** Start a client; its connection is open until somebody closes what this returns. */
  client(main: (names: Names) => Wait<void>, depth?: number): MemoryTransport {
    const { loop } = this;
    const transport = this.connect(depth);
    const body = (function* () {
      yield* main(yield* bindClient(loop, transport, NameService));
    })();
    loop.create('client', body);
    return transport;
  }

  /** Run until nothing goes on; who waits for what. */
  run(): string[] {
    return this.loop.run();
  }

  /** Run a client to its end and close its connection. */
  runClient(main: (names: Names) => Wait<void>): void {
    let isDone = false;
    const transport = this.client(function* (names) {
      yield* main(names);
      isDone = true;
    });
    const blocked = this.run();
    if (!isDone) throw new Error(`the client did not come to its end: ${blocked.join(', ')}`);
    transport.close();
    this.run();
  }

  /** Register `name` for the service `iref`. */
  *register(names: Names, name: string, iref: number, interfaceName = 'echo'): Wait<void> {
    yield* names.register({ name, interfaceName, iref });
  }

  *lookup(names: Names, name: string): Wait<Answer> {
    const { iref, interfaceName } = yield* names.lookup({ name });
    return [iref, interfaceName];
  }

  *waitFor(names: Names, name: string): Wait<Answer> {
    const { iref, interfaceName } = yield* names.waitFor({ name });
    return [iref, interfaceName];
  }

  /** Service 12 is that of domain 12 on core 2; to ask for that takes a while. */
  private *ownerOf(iref: number): Wait<{ core: number; id: number }> {
    yield;
    if (iref > MAX_SERVED) throw new OsError(Err.MON_ERR_NO_SERVICE);
    return { core: iref % 10, id: iref };
  }

  private *serve(transport: MemoryTransport): Wait<void> {
    this.served.push(yield* serveClient(this.server, transport));
  }
}

/** The error that `step` ends with, as the service has thrown it; 0 for none. */
export function* errorOf(step: Wait<unknown>): Wait<number> {
  try {
    yield* step;
    return 0;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return Math.floor(error.errval / 1024) || error.errval;
  }
}

/** A name service and its clients in one loop, over transports in memory. */

import type { Prng } from '@barreleye/core';
import type { Capref, Wait } from '@barreleye/libos';
import { NameService } from '@barreleye/program';
import { bindClient, type Client, RpcError } from '@barreleye/rpc';
import { Loop, type MemoryTransport, memoryPair } from '@barreleye/rpc/testing';
import { Directory, type NameServer, serveClient } from '../src/index.ts';
import { CapTable } from './cap-table.ts';

export type Names = Client<typeof NameService.methods>;

/** What `lookup` and `waitFor` answer: the object and the interface. */
export type Answer = readonly [base: number | undefined, interfaceName: string];

/** Words of a message of the transports. */
export const WORDS = 9;

export class World {
  readonly loop: Loop;
  readonly caps = new CapTable();
  readonly server: NameServer;
  /** What each `serveClient` returned. */
  readonly served: number[] = [];
  private readonly serverSides: MemoryTransport[] = [];

  constructor(prng?: Prng, maxNames?: number) {
    this.loop = new Loop(prng);
    const { loop: threads, caps } = this;
    const directory = new Directory(caps, maxNames);
    this.server = { threads, caps, directory, spare: () => this.giveWay() };
  }

  /** The client's end of a connection to the service. */
  connect(depth = 4): MemoryTransport {
    const [here, there] = memoryPair(WORDS, depth);
    this.serverSides.push(there);
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
    const blocked = this.loop.run();
    for (const { dropped } of this.serverSides) {
      for (const cap of dropped.splice(0)) this.caps.drop(cap);
    }
    return blocked;
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

  /** Register `name` for the listener `base`, of domain `base`. */
  *register(names: Names, name: string, base: number, interfaceName = 'echo'): Wait<void> {
    const endpoint = this.caps.put('EndPointLMP', base);
    yield* names.register({ name, interfaceName, endpoint, owner: this.domain(base) });
  }

  /** A capability of domain `id` on its way to the service. */
  domain(id: number): Capref<'Domain'> {
    return this.caps.put('Domain', id);
  }

  *lookup(names: Names, name: string): Wait<Answer> {
    const { endpoint, interfaceName } = yield* names.lookup({ name });
    return [this.caps.baseOf(endpoint), interfaceName];
  }

  *waitFor(names: Names, name: string): Wait<Answer> {
    const { endpoint, interfaceName } = yield* names.waitFor({ name });
    return [this.caps.baseOf(endpoint), interfaceName];
  }

  /** To see to slots may take a while. */
  private *giveWay(): Wait<void> {
    yield;
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

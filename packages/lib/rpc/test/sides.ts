/** Two sides of a binding in one loop, and the interface that most tests speak. */

import type { Prng } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import {
  array,
  type BindOptions,
  bindClient,
  type Client,
  call,
  cap,
  defineInterface,
  gift,
  type Handlers,
  type Interface,
  type Methods,
  oneway,
  type ServeOptions,
  serve,
  string,
  u32,
} from '../src/index.ts';
import { Loop, type MemoryTransport, memoryPair } from '../src/testing.ts';

export const Echo = defineInterface('echo', {
  echo: call({ text: string(4096) }, { text: string(4096) }),
  grant: call({ frame: cap('Frame') }, {}),
  swap: call({ frames: array(cap('Frame'), 15) }, { frames: array(cap('Frame'), 15) }),
  alloc: call({}, { frame: gift('Frame') }),
  tick: oneway({ seq: u32 }),
});
export type EchoMethods = typeof Echo.methods;

/** Handlers that do as their names say. */
export const echoHandlers: Handlers<EchoMethods> = {
  echo: ({ text }) => ({ text }),
  grant: () => ({}),
  swap: ({ frames }) => ({ frames: frames.toReversed() }),
  alloc() {
    throw new Error('nothing to give');
  },
  tick: () => undefined,
};

/** What a test may decide of its two sides. */
export interface SidesWishes {
  /** Of the transport: words of a message, messages under way. */
  readonly maxWords?: number;
  readonly depth?: number;
  readonly prng?: Prng;
  readonly options?: ServeOptions;
  /** Of the client. */
  readonly bind?: BindOptions;
}

export class Sides {
  readonly loop: Loop;
  readonly client: MemoryTransport;
  readonly server: MemoryTransport;
  /** What `serve` returned. */
  served: number | undefined;
  private readonly options: ServeOptions;
  private readonly bind: BindOptions;

  constructor({ maxWords = 9, depth = 2, prng, options = {}, bind = {} }: SidesWishes = {}) {
    this.loop = new Loop(prng);
    [this.client, this.server] = memoryPair(maxWords, depth);
    this.served = undefined;
    this.options = options;
    this.bind = bind;
  }

  /** Start a server. */
  serve<M extends Methods>(provided: Interface<M>, handlers: Handlers<M>): void {
    this.loop.create('server', this.serveOnce(provided, handlers));
  }

  /** Bind, run `main` as the client, close; then nobody waits any more. */
  run(main: (echo: Client<EchoMethods>) => Wait<void>): void {
    let isDone = false;
    const { loop, client, bind } = this;
    const body = (function* () {
      yield* main(yield* bindClient(loop, client, Echo, bind));
      client.close();
      isDone = true;
    })();
    loop.create('client', body);
    const blocked = loop.run();
    if (!isDone || blocked.length > 0) throw new Error(`nothing goes on: ${blocked.join(', ')}`);
  }

  private *serveOnce<M extends Methods>(provided: Interface<M>, handlers: Handlers<M>): Wait<void> {
    this.served = yield* serve(this.loop, this.server, provided, handlers, this.options);
  }
}

/** What `step` throws. */
export function* failureOf(step: Wait<unknown>): Wait<unknown> {
  try {
    yield* step;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

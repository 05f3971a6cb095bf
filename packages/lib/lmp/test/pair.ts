/** A server that listens and a client that connects to it, in two domains of a world. */

import { type Capref, capref, type Os, type Wait } from '@barreleye/libos';
import { Parking } from '@barreleye/rpc';
import { RootSlot, TaskSlot } from '@barreleye/spec';
import {
  type ChannelOptions,
  connect,
  type ListenerOptions,
  type LmpChannel,
  LmpListener,
} from '../src/index.ts';
import { type Domain, World } from './world.ts';

/** Where the client finds the endpoint of the server's listener. */
export const TO_SERVER: Capref<'EndPointLMP'> = capref(RootSlot.TaskCn, TaskSlot.InitEp);

/** Something that the client can send. */
export const FRAME: Capref<'Frame'> = capref(RootSlot.ModuleCn, 1);

/** What the side of a test works with. */
export interface Side {
  readonly os: Os;
  readonly channel: LmpChannel;
}

export class Pair {
  readonly world: World;
  readonly server: Domain;
  readonly client: Domain;

  constructor(server: (os: Os) => Wait<unknown>, client: (os: Os) => Wait<unknown>) {
    this.world = new World();
    this.server = this.world.add('server', server);
    this.client = this.world.add('client', client);
    this.client.put(FRAME, 'Frame');
  }

  /** Make the listener of the server, and give all others its capability. */
  listen(os: Os, options?: ListenerOptions): LmpListener {
    const listener = new LmpListener(os, options);
    for (const domain of this.world.domains) {
      if (domain !== this.server) domain.give(TO_SERVER, this.server, listener.cap);
    }
    return listener;
  }
}

/** Run both sides of one channel until nothing is left to do. */
export function runSides(
  server: (side: Side) => Wait<unknown>,
  client: (side: Side) => Wait<unknown>,
  options: ChannelOptions = {},
): Pair {
  const pair = new Pair(
    function* (os) {
      const channel = yield* pair.listen(os).accept(options);
      yield* server({ os, channel });
    },
    function* (os) {
      yield* os.sleep(10_000); // the server listens
      yield* client({ os, channel: yield* connect(os, TO_SERVER, options) });
    },
  );
  pair.world.run();
  return pair;
}

export function send(
  { channel }: Side,
  words: readonly number[],
  cap?: Capref,
  isLast = true,
): number {
  return channel.trySend(Uint32Array.from(words), words.length, cap, isLast);
}

/** The words of the next message, or why there are none. */
export function receive({ channel }: Side): number[] | number {
  const into = new Uint32Array(channel.maxWords);
  const count = channel.tryReceive(into);
  return count < 0 ? count : [...into.subarray(0, count)];
}

/** What `step` throws. */
export function* failureOf(step: Wait<unknown>): Wait<unknown> {
  try {
    return yield* step;
  } catch (error) {
    return error;
  }
}

/** Wait until there is something to receive. */
export function* awaitMessage({ os, channel }: Side): Wait<void> {
  const arrival = new Parking(os.scheduler, 'a message');
  arrival.park();
  channel.whenReceivable(arrival);
  yield;
}

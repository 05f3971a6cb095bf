/** Channels between cores as a domain has them that keeps to no rules: their words, and bells. */

import { type Capref, notifySend, type Os, unwrap, type Wait } from '@barreleye/libos';
import { CHANNEL_BYTES, irefCore, NameService, type ProgramOs } from '@barreleye/program';
import { bindClient, type Client } from '@barreleye/rpc';
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
import { ignore } from './honest.ts';

/** Words of the frame of a channel, and slots of each ring. */
export const CHANNEL_WORDS = CHANNEL_BYTES / 4;
export const SLOT_COUNT = umpSlotsIn(CHANNEL_BYTES);
/** What a hostile domain binds to at once. */
const BINDS = 5;

export interface RawChannel {
  readonly channel: number;
  readonly side: UmpSide;
  readonly base: number;
  readonly bell: Capref<'Notify_IPI'>;
  /** The channel as it should be used. */
  readonly transport: UmpTransport;
}

/** What init gives for an end of a channel. */
interface Lent {
  readonly channel: number;
  readonly frame: Capref<'Frame'>;
  readonly bell: Capref<'Notify_IPI'>;
}

export class RawChannels {
  readonly os: ProgramOs;
  private readonly poller: UmpPoller;
  private names: Client<typeof NameService.methods> | undefined;

  private constructor(os: ProgramOs, poller: UmpPoller) {
    this.os = os;
    this.poller = poller;
    this.names = undefined;
  }

  /** Has a bell of its own: there is none left then for channels of `os.services`. */
  static *create(os: ProgramOs): Wait<RawChannels> {
    const own = os.createEndpoint(16);
    yield* os.system.offerBell({ endpoint: own.cap });
    return new RawChannels(os, createRungPoller(os, own.buffer));
  }

  *bind(iref: number): Wait<RawChannel> {
    return yield* this.open(yield* this.os.system.bindAcross({ iref }), 'client');
  }

  *accept(channel: number): Wait<RawChannel> {
    return yield* this.open(yield* this.os.system.acceptAcross({ channel }), 'server');
  }

  *irefOf(name: string): Wait<number> {
    return (yield* (yield* this.reachNames()).lookup({ name })).iref;
  }

  *register(name: string, iref: number): Wait<void> {
    yield* (yield* this.reachNames()).register({ name, interfaceName: 'echo', iref });
  }

  private *reachNames(): Wait<Client<typeof NameService.methods>> {
    const { os } = this;
    const { iref } = yield* os.system.nameService({});
    const isNear = irefCore(iref) === os.coreId;
    this.names ??= isNear
      ? yield* os.services.bind(iref, NameService)
      : yield* bindClient(os.scheduler, (yield* this.bind(iref)).transport, NameService);
    return this.names;
  }

  private *open({ channel, frame, bell }: Lent, side: UmpSide): Wait<RawChannel> {
    const { os, poller } = this;
    yield* os.memory.reserve(0);
    const flags = PageFlag.Read | PageFlag.Write;
    const { base } = unwrap(os.memory.vspace.map({ frame, bytes: CHANNEL_BYTES, flags }));
    const end = new UmpEnd(new MappedWords(os.sys.cpu, base), 0, side, {
      slotCount: SLOT_COUNT,
      ringDoorbell: () => void notifySend(os.sys, bell),
    });
    return { channel, side, base, bell, transport: new UmpTransport(end, poller) };
  }
}

/** Write a word, whatever that does. */
export function* scribble(os: Os, { base }: RawChannel, word: number, value: number): Wait<void> {
  yield* os.store32(base + 4 * (word % CHANNEL_WORDS), value);
}

type Treat = (raw: RawChannel) => Wait<unknown>;

/** Be the service `evil`, and do something to each channel that somebody wants. */
export function* serveBadly(raws: RawChannels, treat: Treat): Wait<never> {
  const { os } = raws;
  const listener = os.services.listen();
  yield* raws.register('evil', (yield* os.system.export({ endpoint: listener.cap })).iref);
  for (;;) {
    const accepted = yield* listener.acceptAny();
    if (!('channel' in accepted)) continue;
    os.spawnThread('treats', ignore(treatWhenThere(raws.accept(accepted.channel), treat)));
  }
}

/** Be a client of the service of the other core, over a few channels. */
export function* bindBadly(raws: RawChannels, treat: Treat): Wait<void> {
  const { os } = raws;
  const iref = yield* raws.irefOf(`echo/${1 - os.coreId}`);
  for (let i = 0; i < BINDS; i++) {
    os.spawnThread('treats', ignore(treatWhenThere(raws.bind(iref), treat)));
  }
}

function* treatWhenThere(step: Wait<RawChannel>, treat: Treat): Wait<void> {
  yield* treat(yield* step);
}

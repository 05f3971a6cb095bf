/**
 * The home of a domain that spans cores: it makes far dispatchers, serves them, and changes the
 * address space such that no core of the domain sees what is there no more (I50).
 */

import { BASE_PAGE_SIZE, type Errval, errPush } from '@barreleye/core';
import { type Capref, firstState, type Os, OsError, unwrap, type Wait } from '@barreleye/libos';
import { bindClient, type Client, serve } from '@barreleye/rpc';
import { DISPATCHER_FRAME_BYTES, Err, PageFlag, SPAN_PAGE_MAGIC, SpanPage } from '@barreleye/spec';
import type { UmpPoller } from '@barreleye/ump';
import type { DomainMemory } from '../domain-memory.ts';
import type { ShootDownKind } from '../interfaces/system.ts';
import { openChannels, SPAN_BYTES, type SpanChannels } from './channels.ts';
import { FarService, HomeService } from './interfaces.ts';

/** A far dispatcher that is to run. */
export interface SpanRequest {
  readonly core: number;
  /** Its dispatcher frame, filled in, and where the domain sees it. */
  readonly frame: Capref<'Frame'>;
  readonly frameVaddr: number;
}

/** What reaches other cores: the monitor. */
export interface SpanHost {
  /** Run a dispatcher of this domain on another core. @returns what notifies it there */
  open(request: SpanRequest): Wait<Capref<'Notify_IPI'>>;
  /** End the dispatcher there. Back when nothing of it is left. */
  close(core: number): Wait<void>;
  /** Wait until nothing of this domain is on the core, perhaps because that is no more. */
  awaitLeft(core: number): Wait<void>;
  /** Have all other cores of this domain invalidate. Back when all have. */
  invalidate(va: number, pageCount: number, how: ShootDownKind | undefined): Wait<void>;
  /** Where this domain is notified. */
  poller(): Wait<UmpPoller>;
}

/** A thread far from home. */
export interface FarThread {
  readonly core: number;
  readonly thread: number;
}

/** A frame of the home's, and where it sees it. */
interface Shown {
  readonly cap: Capref<'Frame'>;
  readonly base: number;
}

interface FarDispatcher {
  readonly client: Client<(typeof FarService)['methods']>;
  readonly channels: SpanChannels;
  readonly bell: Capref<'Notify_IPI'>;
  readonly made: readonly Shown[];
}

const READ_WRITE = PageFlag.Read | PageFlag.Write;

export class Spanning {
  /** How shoot-downs are done: as the monitor thinks best, unless somebody says it here. */
  shootDownKind: ShootDownKind | undefined;
  private readonly os: Os;
  private readonly memory: DomainMemory;
  private readonly host: SpanHost;
  private readonly fail: (report: string) => void;
  private readonly far: Map<number, FarDispatcher>;

  /** @param fail ends the domain */
  constructor(os: Os, memory: DomainMemory, host: SpanHost, fail: (report: string) => void) {
    this.os = os;
    this.memory = memory;
    this.host = host;
    this.fail = fail;
    this.far = new Map();
    this.shootDownKind = undefined;
  }

  /** The cores that the domain is on, beside its home. */
  cores(): readonly number[] {
    return [...this.far.keys()];
  }

  /**
   * Be on core `core` too.
   * @errors LIB_ERR_SPAN over LIB_ERR_SPANNED: it is; those of the host; no memory
   * @post on failure nothing is left
   */
  *open(core: number): Wait<void> {
    if (this.far.has(core)) throw spanError(Err.LIB_ERR_SPANNED);
    const { os, host } = this;
    const poller = yield* host.poller();
    const made: Shown[] = [];
    try {
      const frame = yield* this.show(DISPATCHER_FRAME_BYTES, `frame on core ${core}`, made);
      const page = yield* this.show(SPAN_BYTES, `talks to core ${core}`, made);
      yield* this.fill(frame.base, page.base);
      const bell = yield* host.open({ core, frame: frame.cap, frameVaddr: frame.base });
      const channels = openChannels(os, page.base, 'home', poller, bell);
      const client = yield* this.bind(core, channels, bell);
      const dispatcher = { client, channels, bell, made };
      this.far.set(core, dispatcher);
      os.spawnThread(`watches core ${core}`, this.watch(core, dispatcher), { isDaemon: true });
    } catch (error) {
      for (const each of made) this.hide(each);
      throw error;
    }
  }

  /** Start a function of this program on `core`. @errors LIB_ERR_SPAN; LIB_ERR_NO_FUNCTION */
  *start(core: number, name: string, args: readonly number[] = []): Wait<FarThread> {
    const { client } = this.dispatcherOn(core);
    const { thread } = yield* client.start({ name, args: [...args] });
    return { core, thread };
  }

  /** Wait until a far thread has ended; its value. Once for each. */
  *join({ core, thread }: FarThread): Wait<number> {
    const { value } = yield* this.dispatcherOn(core).client.join({ thread });
    return value;
  }

  /**
   * `Vspace.unmap`; when it comes back, no core sees the region any more. Nobody gets its addresses
   * or its memory before that.
   */
  *unmap(base: number): Wait<void> {
    const { os, host, memory } = this;
    const { vspace } = memory;
    const region = vspace.regions().find((each) => each.base === base);
    if (region !== undefined && this.far.size > 0 && region.kind !== 'guard') {
      const { bytes } = region;
      os.check(vspace.protect(base, bytes, 0));
      yield* host.invalidate(base, bytes / BASE_PAGE_SIZE, this.shootDownKind);
    }
    os.check(vspace.unmap(base));
    yield* os.preempt();
  }

  /** `Vspace.protect`; when it comes back, no core has an access that it takes away. */
  *protect(base: number, bytes: number, flags: number): Wait<void> {
    const { os, host, memory } = this;
    os.check(memory.vspace.protect(base, bytes, flags));
    if (this.far.size > 0) {
      yield* host.invalidate(base, bytes / BASE_PAGE_SIZE, this.shootDownKind);
    }
    yield* os.preempt();
  }

  /** Be on core `core` no more. Threads there end where they are. */
  *close(core: number): Wait<void> {
    const dispatcher = this.dispatcherOn(core);
    this.far.delete(core);
    dispatcher.channels.outgoing.close();
    dispatcher.channels.incoming.close();
    yield* this.host.close(core);
    this.bury(dispatcher);
  }

  /** A core that ends takes its dispatcher along: whoever waits for something there is told. */
  private *watch(core: number, dispatcher: FarDispatcher): Wait<void> {
    yield* this.host.awaitLeft(core);
    if (this.far.get(core) !== dispatcher) return; // it was left
    this.far.delete(core);
    dispatcher.channels.outgoing.close();
    dispatcher.channels.incoming.close();
    yield* this.os.giveWay(); // the ends say so in memory that is about to go
    this.bury(dispatcher);
  }

  /** Nobody has translations of its memory but a core that has forgotten all of this domain. */
  private bury({ bell, made }: FarDispatcher): void {
    this.os.drop(bell);
    for (const each of made) this.hide(each);
  }

  /** `talk`; a dispatcher that does not is ended. */
  private *bind(
    core: number,
    channels: SpanChannels,
    bell: Capref<'Notify_IPI'>,
  ): Wait<FarDispatcher['client']> {
    const { os, host } = this;
    try {
      return yield* this.talk(core, channels);
    } catch (error) {
      channels.outgoing.close();
      channels.incoming.close();
      yield* os.giveWay(); // the ends say so, and ring
      try {
        yield* host.close(core);
      } catch (why) {
        if (!(why instanceof OsError)) throw why; // its core is no more: so is it
      }
      os.drop(bell);
      throw error;
    }
  }

  /** Serve a far dispatcher, and be bound to it. */
  private *talk(core: number, { outgoing, incoming }: SpanChannels): Wait<FarDispatcher['client']> {
    const { os } = this;
    const service = serve(os.scheduler, incoming, HomeService, {
      serveFault: ({ address, access }) => this.serveFault(address, access),
      failed: ({ report }) => {
        this.fail(report);
        return {};
      },
    });
    os.spawnThread(`serves core ${core}`, service, { isDaemon: true });
    return yield* bindClient(os.scheduler, outgoing, FarService);
  }

  private dispatcherOn(core: number): FarDispatcher {
    const found = this.far.get(core);
    if (found === undefined) throw spanError(Err.LIB_ERR_NOT_SPANNED);
    return found;
  }

  private *serveFault(address: number, access: number): Wait<{ err: number }> {
    return { err: yield* this.memory.serveFault(address, access) };
  }

  /** A frame of its own that the domain sees. */
  private *show(bytes: number, name: string, made: Shown[]): Wait<Shown> {
    const { os, memory } = this;
    yield* memory.reserve(bytes);
    const cap = yield* os.take(memory.source.allocFrame(bytes));
    const region = memory.vspace.map({ frame: cap, bytes, flags: READ_WRITE, name });
    if (!region.ok) os.check(memory.source.freeFrame(cap));
    const shown = { cap, base: unwrap(region).base };
    made.push(shown);
    return shown;
  }

  private hide({ cap, base }: Shown): void {
    const { os, memory } = this;
    os.check(memory.vspace.unmap(base));
    os.check(memory.source.freeFrame(cap));
  }

  /** What the far dispatcher finds in its frame, and in the page that it is told of. */
  private *fill(frameVaddr: number, page: number): Wait<void> {
    const { os } = this;
    const state = firstState(os.arch, { name: 'far', frameVaddr, argPage: page });
    for (const [at, words] of state) {
      for (const [i, word] of words.entries()) yield* os.store32(frameVaddr + at + 4 * i, word);
    }
    yield* os.store32(page + SpanPage.home.offset, os.coreId);
    yield* os.store32(page + SpanPage.magic.offset, SPAN_PAGE_MAGIC);
  }
}

function spanError(why: Errval): OsError {
  return new OsError(errPush(why, Err.LIB_ERR_SPAN));
}

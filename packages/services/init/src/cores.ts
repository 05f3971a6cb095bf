/**
 * The cores of the machine, as this one knows them. The first core starts the others; each then has
 * a link with it, over which the inits of both make calls.
 */

import { alignDown, BASE_PAGE_BITS, type Errval, OK } from '@barreleye/core';
import { type Capref, capref, OsError, type Wait } from '@barreleye/libos';
import { bindClient, serve } from '@barreleye/rpc';
import { Err, RootSlot, TaskSlot } from '@barreleye/spec';
import { CORE_OVERHEAD_BYTES, type CoreStarter, startCore } from './core-boot.ts';
import { CoreLinks, type Link } from './core-link.ts';
import { CoreService, coreHandlers } from './core-service.ts';
import type { Init } from './main.ts';

/** Least RAM that a core is given for itself. */
const MIN_CORE_BYTES = 2 * 2 ** 20;
/** Cycles in which a core must have answered. */
const PATIENCE_CYCLES = 100_000_000;
/** The frame that this core shares with the one that has started it. */
const STARTER_FRAME: Capref<'Frame'> = capref(RootSlot.TaskCn, TaskSlot.MonUrpc);

/** What is known of a core. */
export interface CoreState {
  readonly core: number;
  readonly state: 'off' | 'starting' | 'running' | 'failed';
  /** Why it does not run, if it has failed. */
  readonly err: Errval;
}

export class Cores {
  private readonly starter: CoreStarter;
  private readonly states: CoreState[];
  private linkMaker: CoreLinks | undefined;

  constructor(starter: CoreStarter) {
    const { coreCount, coreId } = starter.boot;
    this.starter = starter;
    this.linkMaker = undefined;
    this.states = Array.from({ length: coreCount }, (_, core) => ({
      core,
      state: core === coreId ? 'running' : 'off',
      err: OK,
    }));
  }

  /** All cores, by number. */
  all(): readonly CoreState[] {
    return this.states;
  }

  /** Start all other cores, each with an equal part of the RAM that is left. */
  startAll(init: Init): void {
    const { account, boot } = this.starter;
    const each = Math.floor(account.leftBytes / boot.coreCount) - CORE_OVERHEAD_BYTES;
    const share = alignDown(each, BASE_PAGE_BITS);
    for (const { core, state } of this.states) {
      if (state === 'off') this.start(init, core, Math.max(share, MIN_CORE_BYTES));
    }
  }

  /** Answer the core that has started this one. */
  answerStarter(init: Init): void {
    const { os, boot } = this.starter;
    const link = this.links.open(boot.startedBy, STARTER_FRAME, false);
    if (!link.ok) throw new OsError(link.err);
    os.spawnThread(`talks to core ${boot.startedBy}`, this.talk(init, boot.startedBy, link.value));
  }

  private start(init: Init, core: number, ramBytes: number): void {
    const { os } = this.starter;
    const started = startCore(this.starter, { core, ramBytes });
    const link = started.ok ? this.links.open(core, started.value.channel, true) : started;
    if (!link.ok) {
      this.set(core, 'failed', link.err);
      return;
    }
    this.set(core, 'starting');
    os.spawnThread(`talks to core ${core}`, this.talk(init, core, link.value));
  }

  /** Be introduced to another core, and serve it from then on. */
  private *talk(init: Init, core: number, { outgoing, incoming }: Link): Wait<void> {
    const { os, boot } = this.starter;
    os.spawnThread(
      `serves core ${core}`,
      serve(os.scheduler, incoming, CoreService, coreHandlers(init)),
    );
    try {
      const timeoutCycles = PATIENCE_CYCLES;
      const client = yield* bindClient(os.scheduler, outgoing, CoreService, { timeoutCycles });
      const answer = yield* client.hello({ core: boot.coreId });
      if (answer.core === core) this.set(core, 'running');
      else this.set(core, 'failed', Err.INIT_ERR_CORE);
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      this.set(core, 'failed', error.errval);
    }
  }

  private set(core: number, state: CoreState['state'], err: Errval = OK): void {
    this.states[core] = { core, state, err };
  }

  /** Made when there is somebody to have a link with. */
  private get links(): CoreLinks {
    this.linkMaker ??= new CoreLinks(this.starter.os, this.starter.vspace);
    return this.linkMaker;
  }
}

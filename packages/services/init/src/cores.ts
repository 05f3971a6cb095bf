/** The cores of the machine, as this one knows them: which run, and which do not and why. */

import { alignDown, BASE_PAGE_BITS, type Errval, isOk, OK } from '@barreleye/core';
import { type CoreStarter, type StartedCore, startCore } from './core-boot.ts';

/** Least RAM that a core is given for itself. */
const MIN_CORE_BYTES = 2 * 2 ** 20;

/** What is known of a core. */
export interface CoreState {
  readonly core: number;
  readonly started: StartedCore | undefined;
  /** Why it does not run, OK if it does or nobody has tried. */
  readonly err: Errval;
}

export class Cores {
  private readonly starter: CoreStarter;
  private readonly states: CoreState[];

  constructor(starter: CoreStarter) {
    this.starter = starter;
    const { coreCount } = starter.boot;
    this.states = Array.from({ length: coreCount }, (_, core) => ({
      core,
      started: undefined,
      err: OK,
    }));
  }

  /** All cores, by number. */
  all(): readonly CoreState[] {
    return this.states;
  }

  isRunning(core: number): boolean {
    return core === this.starter.boot.coreId || this.states[core]?.started !== undefined;
  }

  /** Start all cores that do not run, each with an equal part of the RAM that is left. */
  startAll(): void {
    const { account, boot } = this.starter;
    const share = alignDown(Math.floor(account.leftBytes / boot.coreCount), BASE_PAGE_BITS);
    for (const { core } of this.states) {
      if (!this.isRunning(core)) this.start(core, Math.max(share, MIN_CORE_BYTES));
    }
  }

  /** Start one. @errors those of `startCore` */
  start(core: number, ramBytes: number): Errval {
    const made = startCore(this.starter, { core, ramBytes });
    const err = made.ok ? OK : made.err;
    this.states[core] = { core, started: made.ok ? made.value : undefined, err };
    return isOk(err) ? OK : err;
  }
}

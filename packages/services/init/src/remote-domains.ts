/**
 * Domains of other cores that those of this one have started, or hold capabilities of. What they
 * may use counts against the quota of who has started them, although their memory is elsewhere: so
 * nobody gets more by starting others, wherever.
 */

import type { Result } from '@barreleye/core';
import { type Capref, KernelCap, type Os, TASK_KERNEL, unwrap, type Wait } from '@barreleye/libos';
import type { Monitor } from '@barreleye/monitor';
import type { DomainEnd } from '@barreleye/program';
import { Rights } from '@barreleye/spec';
import type { Domain } from './domain.ts';
import { quotaOf } from './domains.ts';

/** What a domain of another core is to be. */
export interface RemoteRequest {
  readonly core: number;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: readonly string[];
  readonly quotaBytes?: number | undefined;
}

export class RemoteDomains {
  private readonly os: Os;
  private readonly monitor: Monitor<Domain>;
  private readonly kernel: KernelCap;

  constructor(os: Os, monitor: Monitor<Domain>) {
    this.os = os;
    this.monitor = monitor;
    this.kernel = new KernelCap(os.sys, TASK_KERNEL);
  }

  /** Start a program there; its number. @errors INIT_ERR_QUOTA; MON_ERR_NO_CORE; those there */
  *start(parent: Domain, request: RemoteRequest): Wait<number> {
    const { core, program, args, environment } = request;
    const { watches, peers } = this.monitor;
    yield* peers.settled();
    const there = this.monitor.of(core);
    const quotaBytes = quotaOf(parent, request);
    const account = unwrap(parent.account.open(quotaBytes));
    try {
      const isOver = (): boolean => parent.end !== undefined;
      const onEnd = (): void => account.close();
      const spawn = there.spawn({ program, args, environment, quotaBytes });
      return yield* watches.start({ core, owner: parent, isOver, onEnd }, idOf(spawn));
    } catch (error) {
      account.close();
      throw error;
    }
  }

  /** A capability of a domain there, to be given away. @errors no slot; SYS_ERR_* */
  capOf(core: number, id: number): Result<Capref<'Domain'>> {
    const identity = {
      type: 'Domain',
      rights: Rights.Lent,
      iftype: 0,
      base: 0,
      bytes: 0,
      owner: core,
      arg0: core,
      arg1: id,
    } as const;
    return this.os.slots.fill((slot) => this.kernel.create(slot, identity));
  }

  /** Wait until a domain there has ended, or `asker` has. */
  *awaitEnd(core: number, id: number, asker: Domain): Wait<Result<DomainEnd>> {
    return yield* this.monitor.watches.awaitEnd(core, id, asker, () => asker.end !== undefined);
  }
}

function* idOf(step: Wait<{ readonly id: number }>): Wait<number> {
  return (yield* step).id;
}

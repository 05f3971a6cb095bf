/**
 * A scheduler without a machine: control blocks in memory, a clock that is moved by hand, and
 * dispatchers that want so many cycles. What the kernel does around it (traps, registers, address
 * spaces) takes no time here, so every cycle can be accounted for.
 */

import { asPaddr, asPtr, assert, PhysMem, type Ptr } from '@barreleye/core';
import { DCB_BYTES, Dcb, DcbState, KCB_BYTES, Kcb, NO_DCB, type Scheduler } from '@barreleye/spec';
import type { Kernel } from '../src/kernel.ts';
import { endTurn, makeRunnable, preemptionTime, schedule } from '../src/schedule.ts';

export interface WorldOptions {
  readonly scheduler: Scheduler;
  readonly timeslice: number;
  readonly dispatchers: number;
}

/** Called when time has passed for somebody. */
export type Ran = (dcb: Ptr<'Dcb'>, from: number, to: number) => void;

const ORIGIN = 0x10_0000;

export class SchedulerWorld {
  readonly mem: PhysMem;
  readonly dcbs: readonly Ptr<'Dcb'>[];
  now: number;
  /** A new one reads the same control blocks. */
  kernel: Kernel;

  constructor({ scheduler, timeslice, dispatchers }: WorldOptions) {
    const bytes = KCB_BYTES + 4096 * Math.ceil(dispatchers / 4);
    this.mem = new PhysMem(new ArrayBuffer(bytes), asPaddr(ORIGIN));
    const kcb = asPtr<'Kcb'>(ORIGIN);
    this.dcbs = Array.from({ length: dispatchers }, (_, i) =>
      asPtr<'Dcb'>(ORIGIN + KCB_BYTES + i * DCB_BYTES),
    );
    this.now = 0;
    this.kernel = this.createKernel();
    Kcb.scheduler.set(this.mem, kcb, scheduler);
    Kcb.timeslice.set(this.mem, kcb, timeslice);
  }

  /** The dispatcher of that number. */
  at(index: number): Ptr<'Dcb'> {
    const dcb = this.dcbs[index];
    assert(dcb !== undefined, 'the world has that many dispatchers');
    return dcb;
  }

  /** What schedulers use of a kernel. */
  createKernel(): Kernel {
    const hal = { now: () => this.now, setTimer: () => {} };
    return { mem: this.mem, kcb: asPtr<'Kcb'>(ORIGIN), hal } as unknown as Kernel;
  }

  /** Choose who runs. */
  choose(): Ptr<'Dcb'> {
    const dcb = schedule(this.kernel);
    Kcb.current.set(this.mem, this.kernel.kcb, dcb);
    return dcb;
  }

  /**
   * Run until `end`. Whoever runs does so until the scheduler wants to choose anew, or for
   * `wantOf(dcb)` cycles; it is told to `ran`, and has finished if that was all.
   */
  run(end: number, wantOf: (dcb: Ptr<'Dcb'>) => number, ran: Ran): void {
    while (this.now < end) {
      const dcb = this.choose();
      const limit = Math.min(end, preemptionTime(this.kernel));
      const from = this.now;
      const want = dcb === NO_DCB ? Number.POSITIVE_INFINITY : wantOf(dcb);
      this.now = Math.max(from, Math.min(limit, from + want));
      if (dcb === NO_DCB) continue;
      ran(dcb, from, this.now);
      if (this.now - from === want) this.finish(dcb);
    }
  }

  /** The job of `dcb`, which runs, is over. */
  finish(dcb: Ptr<'Dcb'>): void {
    if (Dcb.state.get(this.mem, dcb) === DcbState.Runnable) endTurn(this.kernel, dcb);
  }

  /** Let all of `dcbs` run. */
  start(dcbs: readonly Ptr<'Dcb'>[]): void {
    for (const dcb of dcbs) makeRunnable(this.kernel, dcb);
  }
}

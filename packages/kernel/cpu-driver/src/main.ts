/**
 * The CPU driver of one core. Every kernel entry comes through `onTrap`, runs to completion and
 * leaves through the hardware interface; nothing is kept here between two entries.
 */

import { never, type Ptr } from '@barreleye/core';
import { type CoreHal, IrqLine, type TrapHandler } from '@barreleye/machine';
import { Kcb, NO_DCB, type Paging, TrapKind } from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import { dispatchNext, preempt } from './dispatch.ts';
import { handleAbort, handleFault, handlePageFault } from './faults.ts';
import { deliverInterrupt } from './irq.ts';
import { count, Kernel } from './kernel.ts';
import { type FirstDomain, spawnFirst } from './startup.ts';
import { handleSyscall } from './syscall.ts';
import { expireWakeups } from './wakeup.ts';

export class CpuDriver implements TrapHandler {
  readonly kernel: Kernel;

  /**
   * A driver over the control block at `kcb`: a fresh one, or one that another driver has used.
   * @param foreignFormats page tables of other architectures that domains here may build
   */
  constructor(hal: CoreHal, kcb: Ptr<'Kcb'>, foreignFormats: readonly Paging[] = []) {
    this.kernel = new Kernel(hal, kcb, foreignFormats);
  }

  /** The first kernel entry of a core: build the first domain and run it. */
  start(first: FirstDomain): void {
    spawnFirst(this.kernel, first);
    dispatchNext(this.kernel);
  }

  onTrap(kind: TrapKind): void {
    const k = this.kernel;
    count(k, Kcb.kernelEntries);
    switch (kind) {
      case TrapKind.Syscall:
        handleSyscall(k);
        return;
      case TrapKind.PageFault:
        handlePageFault(k);
        return;
      case TrapKind.Undefined:
      case TrapKind.BusError:
      case TrapKind.Protection:
        handleFault(k, kind);
        return;
      case TrapKind.Abort:
        handleAbort(k);
        return;
      case TrapKind.Interrupt:
        handleInterrupts(k);
        return;
      default:
        never(kind);
    }
  }
}

/** Serve everything that is pending, then choose anew who runs. */
function handleInterrupts(k: Kernel): void {
  count(k, Kcb.interrupts);
  const dcb = currentDcb(k);
  if (dcb !== NO_DCB) preempt(k, dcb);
  for (let line = k.hal.takeInterrupt(); line >= 0; line = k.hal.takeInterrupt()) {
    if (line >= IrqLine.FirstDevice) deliverInterrupt(k, line);
  }
  expireWakeups(k, k.hal.now());
  dispatchNext(k);
}

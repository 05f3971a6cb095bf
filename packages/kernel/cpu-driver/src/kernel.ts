/**
 * The CPU driver's context: its hardware, its control block, its capability system. It holds no
 * state of the system (that is the KCB and what it points to), so it can be made anew over the
 * same memory at any kernel entry.
 */

import { type CapHooks, Caps } from '@barreleye/caps';
import type { PhysMem, Ptr } from '@barreleye/core';
import type { CoreHal } from '@barreleye/machine';
import type { Kcb } from '@barreleye/spec';
import { createCapHooks } from './death.ts';

export class Kernel {
  readonly hal: CoreHal;
  readonly mem: PhysMem;
  readonly kcb: Ptr<'Kcb'>;
  readonly caps: Caps;
  /** Argument words of the invocation under way, without number, header and address. */
  readonly args: Uint32Array;
  /** Value that the system call under way returns beside its error. */
  value: number;

  constructor(hal: CoreHal, kcb: Ptr<'Kcb'>) {
    const hooks: CapHooks = createCapHooks(() => this);
    this.hal = hal;
    this.mem = hal.mem;
    this.kcb = kcb;
    this.caps = new Caps(hal.mem, kcb, hooks);
    this.args = new Uint32Array(32);
    this.value = 0;
  }
}

/** Add one to a counter of the KCB. */
export function count(k: Kernel, counter: typeof Kcb.kernelEntries): void {
  counter.set(k.mem, k.kcb, counter.get(k.mem, k.kcb) + 1);
}

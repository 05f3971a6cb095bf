/**
 * The CPU driver's context: its hardware, its control block, its capability system. It holds no
 * state of the system (that is the KCB and what it points to), so it can be made anew over the
 * same memory at any kernel entry.
 */

import { Caps, createIdentification, type Identification } from '@barreleye/caps';
import type { PhysMem, Ptr } from '@barreleye/core';
import type { CoreHal } from '@barreleye/machine';
import type { Kcb, Paging } from '@barreleye/spec';
import { createCapHooks } from './death.ts';
import { createFault, type Fault } from './fault.ts';
import { createMapPlan, type MapPlan } from './map-plan.ts';
import { createSetupPlan, type SetupPlan } from './setup.ts';

export class Kernel {
  readonly hal: CoreHal;
  readonly mem: PhysMem;
  readonly kcb: Ptr<'Kcb'>;
  readonly caps: Caps;
  /** Formats of page tables that it fills in: its core's first. */
  readonly formats: readonly Paging[];
  /** Argument words of the invocation under way, without number, header and address. */
  readonly args: Uint32Array;
  /** What the last Identify found; scratch. */
  readonly identity: Identification;
  /** Value that the system call under way returns beside its error. */
  value: number;
  /** The fault that the kernel was entered for; scratch. */
  readonly fault: Fault;
  /** The map operation under way. */
  readonly mapPlan: MapPlan;
  /** The setup of a dispatcher under way. */
  readonly setupPlan: SetupPlan;

  constructor(hal: CoreHal, kcb: Ptr<'Kcb'>, foreignFormats: readonly Paging[]) {
    this.hal = hal;
    this.mem = hal.mem;
    this.kcb = kcb;
    this.caps = new Caps(hal.mem, kcb, createCapHooks(this));
    this.formats = [hal.paging, ...foreignFormats];
    this.args = new Uint32Array(32);
    this.identity = createIdentification();
    this.value = 0;
    this.fault = createFault();
    this.mapPlan = createMapPlan(hal.paging);
    this.setupPlan = createSetupPlan();
  }
}

/** Add one to a counter of the KCB. */
export function count(k: Kernel, counter: typeof Kcb.kernelEntries): void {
  counter.set(k.mem, k.kcb, counter.get(k.mem, k.kcb) + 1);
}

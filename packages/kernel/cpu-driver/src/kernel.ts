/**
 * The CPU driver's context: its hardware, its control block, its capability system. It holds no
 * state of the system (that is the KCB and what it points to), so it can be made anew over the
 * same memory at any kernel entry.
 */

import { Caps, createIdentification, type Identification } from '@barreleye/caps';
import type { PhysMem, Ptr } from '@barreleye/core';
import type { CoreHal } from '@barreleye/machine';
import { type Kcb, NO_DCB, type Paging } from '@barreleye/spec';
import { createCapHooks } from './death.ts';
import { createFault, type Fault } from './fault.ts';
import { createDelivery, type Delivery } from './lmp.ts';
import { createTransfer, type Transfer } from './lmp-send.ts';
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
  /** The message under way, and the capability that goes along. */
  readonly delivery: Delivery;
  readonly transfer: Transfer;
  /** Who gets the core after the system call under way; `NO_DCB`: the caller keeps it. */
  next: Ptr<'Dcb'>;
  /** Frame offset of the endpoint that `next` has an LRPC message in, 0 for none. */
  lrpcEndpoint: number;
  /** The core is switched off at the end of the system call under way. */
  isStopping: boolean;
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
    this.delivery = createDelivery();
    this.transfer = createTransfer();
    this.next = NO_DCB;
    this.lrpcEndpoint = 0;
    this.isStopping = false;
    this.setupPlan = createSetupPlan();
  }
}

/** Add one to a counter of the KCB. */
export function count(k: Kernel, counter: typeof Kcb.kernelEntries): void {
  counter.set(k.mem, k.kcb, counter.get(k.mem, k.kcb) + 1);
}

/**
 * The frames of channels between cores. The monitor on the client's side makes one of RAM that the
 * client is charged for; the other describes it to its own core. Both give copies of it away.
 */

import type { Result } from '@barreleye/core';
import {
  type Capref,
  capLend,
  capRetype,
  capRevoke,
  KernelCap,
  type Os,
  TASK_KERNEL,
  unwrap,
} from '@barreleye/libos';
import { CHANNEL_BYTES } from '@barreleye/program';
import { CteFlag } from '@barreleye/spec';
import { createForeignFrame } from './foreign-frame.ts';
import type { Held } from './party.ts';

/** Says that other cores have copies of a frame. */
const REMOTE = CteFlag.RemoteCopies;

export class ChannelFrames {
  private readonly os: Os;
  private readonly kernel: KernelCap;

  constructor(os: Os) {
    this.os = os;
    this.kernel = new KernelCap(os.sys, TASK_KERNEL);
  }

  /** Make one that another core is to know. @errors no slot; LIB_ERR_CAP_RETYPE */
  create({ ram }: Held): Result<Capref<'Frame'>> {
    const { sys, slots } = this.os;
    const range = { offset: 0, objectBytes: CHANNEL_BYTES, count: 1 };
    const frame = slots.fill((slot) => capRetype(sys, slot, ram, 'Frame', range));
    if (frame.ok) unwrap(this.kernel.setRelations(frame.value, REMOTE, REMOTE));
    return frame;
  }

  /** One that core `owner` has made. @errors no slot; LIB_ERR_KERNEL_CAP */
  describe(owner: number, base: number): Result<Capref<'Frame'>> {
    return createForeignFrame(this.os, { owner, base, bytes: CHANNEL_BYTES });
  }

  /** A copy to be given away, without the right to revoke. @errors no slot; those of `capLend` */
  lend(frame: Capref<'Frame'>): Result<Capref<'Frame'>> {
    const { sys, slots } = this.os;
    return slots.fill((slot) => capLend(sys, slot, frame));
  }

  /** Of one that was made here, only the monitor has a capability on this core from now on. */
  withdraw(frame: Capref<'Frame'>): void {
    // The other core takes back what it has lent by itself: revoking must not wait for it.
    unwrap(this.kernel.setRelations(frame, 0, REMOTE));
    this.os.check(capRevoke(this.os.sys, frame));
  }

  /** Of one that another core has made, nobody has a capability on this core any more. */
  forget(frame: Capref<'Frame'>): void {
    this.os.check(this.kernel.deleteForeigns(frame));
    this.os.check(this.os.slots.free(frame));
  }
}

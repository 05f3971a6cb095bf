/**
 * Links between the inits of cores: a frame that both have mapped, with a channel for the calls of
 * either. Who sleeps is notified by an interrupt that the other core raises.
 */

import { alignUp, BASE_PAGE_BITS, fail, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  irqAllocate,
  irqConnect,
  KernelCap,
  notifySend,
  type Os,
  TASK_IRQ_TABLE,
  TASK_KERNEL,
  unwrap,
} from '@barreleye/libos';
import type { Vspace } from '@barreleye/paging';
import { PageFlag, Rights } from '@barreleye/spec';
import {
  createRungPoller,
  MappedWords,
  UmpEnd,
  type UmpPoller,
  UmpTransport,
  umpChannelBytes,
} from '@barreleye/ump';

/** Slots of each ring. */
const SLOT_COUNT = 16;
/** Words of the endpoint of the bell; each ring takes one. */
const BELL_RING_WORDS = 16;
/** The line at which other cores notify an init; the first that they may raise. */
const BELL_LINE = 32;

/** Bytes of a frame with both channels, whole pages. */
export const LINK_BYTES = alignUp(2 * umpChannelBytes(SLOT_COUNT), BASE_PAGE_BITS);

/** Both channels of a link, as one of its cores has them. */
export interface Link {
  /** For calls of this core, and of the other. */
  readonly outgoing: UmpTransport;
  readonly incoming: UmpTransport;
}

export class CoreLinks {
  private readonly os: Os;
  private readonly vspace: Vspace;
  private readonly poller: UmpPoller;

  /** Have a bell for other cores to ring. */
  constructor(os: Os, vspace: Vspace) {
    const bell = os.createEndpoint(BELL_RING_WORDS);
    const line = unwrap(irqAllocate(os.sys, os.allocSlot(), TASK_IRQ_TABLE, BELL_LINE));
    os.check(irqConnect(os.sys, line, bell.cap));
    this.os = os;
    this.vspace = vspace;
    this.poller = createRungPoller(os, bell.buffer);
  }

  /**
   * Open the link with core `peer` in `frame`.
   * @param isStarter whether this core has started the other
   * @errors those of `Vspace.map`; LIB_ERR_KERNEL_CAP; no slot
   */
  open(peer: number, frame: Capref<'Frame'>, isStarter: boolean): Result<Link> {
    const { os, vspace, poller } = this;
    const flags = PageFlag.Read | PageFlag.Write;
    const region = vspace.map({ frame, bytes: LINK_BYTES, flags, name: `core ${peer}` });
    if (!region.ok) return region;
    const bell = this.bellOf(peer);
    if (!bell.ok) return bell;
    const words = new MappedWords(os.sys.cpu, region.value.base);
    const transport = (index: number, side: 'client' | 'server'): UmpTransport => {
      const ringDoorbell = (): void => os.check(notifySend(os.sys, bell.value));
      const at = (index * umpChannelBytes(SLOT_COUNT)) / 4;
      const end = new UmpEnd(words, at, side, { slotCount: SLOT_COUNT, ringDoorbell });
      return new UmpTransport(end, poller);
    };
    return succeed({
      outgoing: transport(isStarter ? 0 : 1, 'client'),
      incoming: transport(isStarter ? 1 : 0, 'server'),
    });
  }

  /** What notifies another core's init. */
  private bellOf(core: number): Result<Capref<'Notify_IPI'>> {
    const { sys, slots } = this.os;
    const slot = slots.alloc();
    if (!slot.ok) return slot;
    const kernel = new KernelCap(sys, TASK_KERNEL);
    const bell = kernel.create(slot.value, {
      type: 'Notify_IPI',
      rights: Rights.All,
      iftype: 0,
      base: 0,
      bytes: 0,
      owner: unwrap(kernel.coreId()),
      arg0: core,
      arg1: BELL_LINE,
    });
    if (bell.ok) return bell;
    this.os.check(slots.free(slot.value));
    return fail(bell.err);
  }
}

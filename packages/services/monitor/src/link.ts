/**
 * Links between the monitors of cores: a frame that both have mapped, with a channel for the calls
 * of either. Who sleeps is notified by an interrupt that the other core raises.
 */

import { alignUp, assert, BASE_PAGE_BITS, isOk, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  irqAllocate,
  irqConnect,
  notifySend,
  type Os,
  TASK_IRQ_TABLE,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import type { Vspace } from '@barreleye/paging';
import { Bell } from '@barreleye/rpc';
import { PageFlag } from '@barreleye/spec';
import {
  createRungPoller,
  MappedWords,
  UmpEnd,
  type UmpPoller,
  UmpTransport,
  umpChannelBytes,
} from '@barreleye/ump';
import { createBell, MONITOR_LINE } from './bells.ts';

/** Slots of each ring. */
const SLOT_COUNT = 16;
/** Words of the endpoint of the bell; each ring takes one. */
const BELL_RING_WORDS = 16;

/** Bytes of a frame with both channels, whole pages. */
export const LINK_BYTES = alignUp(2 * umpChannelBytes(SLOT_COUNT), BASE_PAGE_BITS);

/** Both channels of a link, as one of its cores has them. */
export interface Link {
  /** For calls of this core, and of the other. */
  readonly outgoing: UmpTransport;
  readonly incoming: UmpTransport;
  /** Close both channels, and wait until nothing here looks at the frame. */
  close(): Wait<void>;
}

export class CoreLinks {
  private readonly os: Os;
  private readonly vspace: Vspace;
  private readonly poller: UmpPoller;

  /** Have a bell for other cores to ring. */
  constructor(os: Os, vspace: Vspace) {
    const bell = os.createEndpoint(BELL_RING_WORDS);
    const line = unwrap(irqAllocate(os.sys, os.allocSlot(), TASK_IRQ_TABLE, MONITOR_LINE));
    os.check(irqConnect(os.sys, line, bell.cap));
    this.os = os;
    this.vspace = vspace;
    this.poller = createRungPoller(os, bell.buffer);
  }

  /**
   * Open the link with core `peer` in `frame`.
   * @param isFirst whether this core calls over the first channel; the other calls over the second
   * @errors those of `Vspace.map`; LIB_ERR_KERNEL_CAP; no slot
   */
  open(peer: number, frame: Capref<'Frame'>, isFirst: boolean): Result<Link> {
    const { os, vspace, poller } = this;
    const flags = PageFlag.Read | PageFlag.Write;
    const region = vspace.map({ frame, bytes: LINK_BYTES, flags, name: `core ${peer}` });
    if (!region.ok) return region;
    const bell = createBell(os, peer, MONITOR_LINE);
    if (!bell.ok) {
      os.check(vspace.unmap(region.value.base));
      return bell;
    }
    const { base } = region.value;
    const { value: own } = bell;
    const words = new MappedWords(os.sys.cpu, base);
    const closing = new Bell(os.scheduler, 'the end of a link');
    let openCount = 2;
    const onClose = (): void => {
      openCount -= 1;
      closing.ring();
    };
    const transport = (index: number, side: 'client' | 'server'): UmpTransport => {
      const ringDoorbell = (): void => os.check(notifySend(os.sys, own));
      const at = (index * umpChannelBytes(SLOT_COUNT)) / 4;
      const end = new UmpEnd(words, at, side, { slotCount: SLOT_COUNT, ringDoorbell });
      return new UmpTransport(end, poller, undefined, onClose);
    };
    const outgoing = transport(isFirst ? 0 : 1, 'client');
    const incoming = transport(isFirst ? 1 : 0, 'server');
    function* close(): Wait<void> {
      outgoing.close();
      incoming.close();
      yield* closing.until(() => openCount === 0);
      const err = vspace.unmap(base);
      assert(isOk(err), 'the frame of a link is mapped until it is closed');
      os.drop(own);
    }
    return succeed({ outgoing, incoming, close });
  }
}

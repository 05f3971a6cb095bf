/** The two channels between the home of a domain and a far dispatcher, behind the span page. */

import { alignUp, BASE_PAGE_BITS } from '@barreleye/core';
import { type Capref, notifySend, type Os } from '@barreleye/libos';
import { SPAN_PAGE_MAGIC, SpanPage, type UserCpu } from '@barreleye/spec';
import { MappedWords, UmpEnd, type UmpPoller, UmpTransport, umpChannelBytes } from '@barreleye/ump';

const SLOT_COUNT = 16;
/** Words of the endpoint of a bell; each ring takes one. */
export const BELL_RING_WORDS = 16;

/** Bytes of the page and the channels, whole pages. */
export const SPAN_BYTES: number = alignUp(
  SpanPage.$bytes + 2 * umpChannelBytes(SLOT_COUNT),
  BASE_PAGE_BITS,
);

/** Both channels, as one of their sides has them. */
export interface SpanChannels {
  /** For calls of this side, and of the other. */
  readonly outgoing: UmpTransport;
  readonly incoming: UmpTransport;
}

/** Open the channels behind the span page at `page`. */
export function openChannels(
  os: Os,
  page: number,
  side: 'home' | 'far',
  poller: UmpPoller,
  bell: Capref<'Notify_IPI'>,
): SpanChannels {
  const words = new MappedWords(os.sys.cpu, page);
  const ringDoorbell = (): void => os.check(notifySend(os.sys, bell));
  const transport = (index: number, caller: 'home' | 'far'): UmpTransport => {
    const at = (SpanPage.$bytes + index * umpChannelBytes(SLOT_COUNT)) / 4;
    const options = { slotCount: SLOT_COUNT, ringDoorbell };
    const end = new UmpEnd(words, at, side === caller ? 'client' : 'server', options);
    return new UmpTransport(end, poller);
  };
  const [ofHome, ofFar] = [transport(0, 'home'), transport(1, 'far')];
  return side === 'home'
    ? { outgoing: ofHome, incoming: ofFar }
    : { outgoing: ofFar, incoming: ofHome };
}

/** Whether a dispatcher that is told what is at `argPage` is far from home. */
export function isFar(cpu: UserCpu, argPage: number): boolean {
  return cpu.load32(argPage + SpanPage.magic.offset) === SPAN_PAGE_MAGIC;
}

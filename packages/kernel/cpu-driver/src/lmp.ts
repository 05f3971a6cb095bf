/**
 * Local message passing, the receiving half: messages that the kernel itself sends (interrupts,
 * deaths). A message is delivered whole or not at all.
 */

import { asPaddr, asPtr, type Errval, OK, type Ptr } from '@barreleye/core';
import {
  Cte,
  Dcb,
  DcbState,
  DispatcherFrame,
  Err,
  isEndpointBuffer,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  LmpHeader,
} from '@barreleye/spec';
import { frameOf } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { wake } from './wakeup.ts';

/**
 * Deliver a message with the words `payload` to the endpoint in slot `ep`. Wakes the receiver.
 * @errors SYS_ERR_LMP_NO_TARGET the receiver is dead, or the endpoint has no buffer inside its
 *   dispatcher frame (T17);
 *   SYS_ERR_LMP_EP_STATE_INVALID the receiver corrupted its indices; SYS_ERR_LMP_BUF_OVERFLOW
 */
export function deliver(k: Kernel, ep: Ptr<'Cte'>, payload: readonly number[]): Errval {
  const { mem } = k;
  const dcb = asPtr<'Dcb'>(Cte.base.get(mem, ep));
  const ringWords = Cte.arg1.get(mem, ep);
  const offset = Cte.arg0.get(mem, ep);
  const frameBytes = Cte.bytes.get(mem, Dcb.frame.at(dcb));
  const isAlive = Dcb.state.get(mem, dcb) !== DcbState.Dead;
  if (!isAlive || !isEndpointBuffer(frameBytes, offset, ringWords)) {
    return Err.SYS_ERR_LMP_NO_TARGET;
  }
  const frame = frameOf(k, dcb);
  const buffer = asPtr<'LmpEndpoint'>(frame + offset);
  let at = LmpEndpoint.delivered.get(mem, buffer);
  const consumed = LmpEndpoint.consumed.get(mem, buffer);
  if (at >= ringWords || consumed >= ringWords) return Err.SYS_ERR_LMP_EP_STATE_INVALID;
  const used = at >= consumed ? at - consumed : at + ringWords - consumed;
  if (ringWords - used <= payload.length + 1) return Err.SYS_ERR_LMP_BUF_OVERFLOW;

  at = putWord(k, buffer, ringWords, at, payload.length << LmpHeader.LengthShift);
  for (const word of payload) at = putWord(k, buffer, ringWords, at, word);
  LmpEndpoint.delivered.set(mem, buffer, at);
  const delivered = DispatcherFrame.lmpDelivered.get(mem, frame) + payload.length + 1;
  DispatcherFrame.lmpDelivered.set(mem, frame, delivered >>> 0);
  DispatcherFrame.lmpHint.set(mem, frame, offset);
  wake(k, dcb);
  return OK;
}

/** Write one word of the ring; the index behind it. */
function putWord(
  k: Kernel,
  buffer: Ptr<'LmpEndpoint'>,
  ringWords: number,
  index: number,
  word: number,
): number {
  const at = buffer + LmpEndpoint.$bytes + index * LMP_RING_WORD_BYTES;
  k.mem.store32(asPaddr(at), word);
  k.mem.store32(asPaddr(at + 4), 0);
  return index + 1 === ringWords ? 0 : index + 1;
}

/** The receiving half of a channel: an endpoint of this domain, and slots for what arrives. */

import { type Capref, capDelete, type Os, type OwnEndpoint } from '@barreleye/libos';

/** Set a slot aside for the next capability, if there is none and one is free. */
export function armEndpoint(os: Os, { buffer }: OwnEndpoint): void {
  if (buffer.isArmed) return;
  const slot = os.slots.alloc();
  if (slot.ok) buffer.arm(slot.value);
}

/** End an endpoint, in all domains, and drop what has arrived there. */
export function endEndpoint(os: Os, own: OwnEndpoint): void {
  const into = new Uint32Array(os.arch.lmpWords);
  while (own.buffer.tryReceiveInto(into) >= 0) {
    if (own.buffer.receivedSlot !== undefined) dropCap(os, own.buffer.receivedSlot);
  }
  os.destroyEndpoint(own);
}

/** Delete a capability, if it has not been revoked already, and give its slot back. */
export function dropCap(os: Os, cap: Capref): void {
  capDelete(os.sys, cap);
  os.check(os.slots.free(cap));
}

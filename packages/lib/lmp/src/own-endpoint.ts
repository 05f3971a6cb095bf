/** The receiving half of a channel: an endpoint of this domain, and slots for what arrives. */

import type { Os, OwnEndpoint } from '@barreleye/libos';

/** Messages of full length that the ring of a channel, or of a listener, has room for. */
const RING_MESSAGES = 8;

/** An endpoint with a slot for a capability: it takes at least one message of any kind at once. */
export function createRing(os: Os): OwnEndpoint {
  const slot = os.allocSlot();
  try {
    const own = os.createEndpoint(RING_MESSAGES * (os.arch.lmpWords + 1) + 1);
    own.buffer.arm(slot);
    return own;
  } catch (error) {
    os.check(os.slots.free(slot));
    throw error;
  }
}

/** Set a slot aside for the next capability, if there is none and one is free; whether there is. */
export function armEndpoint(os: Os, { buffer }: OwnEndpoint): boolean {
  if (buffer.isArmed) return true;
  const slot = os.slots.alloc();
  if (slot.ok) buffer.arm(slot.value);
  return slot.ok;
}

/** End an endpoint, in all domains, and drop what has arrived there. */
export function endEndpoint(os: Os, own: OwnEndpoint): void {
  const into = new Uint32Array(os.arch.lmpWords);
  while (own.buffer.tryReceiveInto(into) >= 0) {
    if (own.buffer.receivedSlot !== undefined) os.drop(own.buffer.receivedSlot);
  }
  os.destroyEndpoint(own);
}

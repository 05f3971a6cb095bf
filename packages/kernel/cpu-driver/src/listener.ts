/** Endpoints that the kernel sends messages of its own to: copies in slots of the KCB. */

import { hasCopyOutside, isEmpty, type Slot } from '@barreleye/caps';
import { KCB_BYTES } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/**
 * Whether a slot of the KCB has an endpoint that somebody beside the kernel holds: its own copies
 * do not keep each other alive (T16).
 */
export function isHeard(k: Kernel, slot: Slot): boolean {
  return !isEmpty(k.mem, slot) && hasCopyOutside(k.caps, slot, k.kcb, KCB_BYTES);
}

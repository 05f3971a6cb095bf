/**
 * What a far dispatcher begins with: the page that its first register names, written by its own
 * domain, and what is in its argument CNode, put there by the monitor of its core. Ours; ADR 16.
 */

import { layout, u32 } from '@barreleye/core';

/** "SPAN": this is no arguments page, and the dispatcher is far from home. */
export const SPAN_PAGE_MAGIC = 0x4e41_5053;

/** Behind it lie two channels: the first for the calls of the home, the second for those to it. */
export const SpanPage = layout('SpanPage', 64, {
  magic: u32(0),
  home: u32(4), // core
});

/** Slots of the argument CNode of a far dispatcher. */
export const SpanSlot = {
  Line: 0, // IRQDest: at this line it is notified
  Home: 1, // Notify_IPI: notifies its home
} as const;

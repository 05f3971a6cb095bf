/**
 * The page that a CPU driver and a dispatcher share, at the start of the dispatcher frame. The same
 * on every architecture: addresses take 64 bits everywhere and every register has a 64-bit place.
 * Source: Barrelfish dispatcher_shared.h; the order and the uniform widths are ours (ADR 6).
 */

import { layout, text, u32, u64, words } from '@barreleye/core';

/** Smallest dispatcher frame, bytes. */
export const DISPATCHER_FRAME_BYTES = 2 ** 19;
/** The first bytes, which the kernel reads and writes. Endpoint buffers lie behind. */
export const DISPATCHER_SHARED_BYTES = 4096;
/** Registers that a save area has room for. */
export const SAVE_AREA_REGISTERS = 128;
/** Bytes of a save area: register `r` is the 64-bit word at `8 * r`. */
export const SAVE_AREA_BYTES = 8 * SAVE_AREA_REGISTERS;
/** Invocation arguments that do not fit the registers of an architecture, 32-bit words. */
export const MESSAGE_WORDS = 32;

/** Shared part of a dispatcher frame. */
export const DispatcherFrame = layout('DispatcherFrame', DISPATCHER_SHARED_BYTES, {
  // Written by: the dispatcher.
  haswork: u32(4), // 1: keep me runnable although I yield
  udisp: u64(8), // where user mode sees this frame
  lmpSeen: u32(20), // words taken from endpoints so far
  runEntry: u64(32), // upcall entry points, virtual addresses; 0 for none
  lrpcEntry: u64(40),
  pagefaultEntry: u64(48),
  pagefaultDisabledEntry: u64(56),
  trapEntry: u64(64),
  wakeup: u64(80), // read on yield: wake me at this time, cycles; 0 for never
  critPcLow: u64(96), // with the program counter in here the dispatcher counts as disabled
  critPcHigh: u64(104),
  name: text(112, 16),
  message: words(128, MESSAGE_WORDS), // arguments beyond the registers
  // Written by both.
  disabled: u32(0), // 1: no upcalls
  // Written by: the CPU driver.
  lmpDelivered: u32(16), // words put into endpoints so far
  lmpHint: u32(24), // frame offset of an endpoint to look at first
  coreId: u32(28),
  systime: u64(72), // cycles, at the last dispatch
  frequency: u64(88), // cycles per second
  enabledArea: words(1024, 2 * SAVE_AREA_REGISTERS),
  disabledArea: words(2048, 2 * SAVE_AREA_REGISTERS),
  trapArea: words(3072, 2 * SAVE_AREA_REGISTERS),
});

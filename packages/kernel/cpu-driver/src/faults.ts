/**
 * Faults of user mode become upcalls. A dispatcher that faults while it is disabled, or that has no
 * handler, is on its own fault: after a few tries it is never run again (T36).
 */

import type { Ptr } from '@barreleye/core';
import { Dcb, DispatcherFrame } from '@barreleye/spec';
import { stopDispatcher } from './death.ts';
import {
  currentDcb,
  dispatchNext,
  frameOf,
  isDisabled,
  programCounter,
  readUserWord64,
  saveRegisters,
  upcall,
} from './dispatch.ts';
import { count, type Kernel } from './kernel.ts';

/** Faults in a row while disabled that a dispatcher survives. */
const MAX_DISABLED_FAULTS = 2;

/** A page fault; address, code and access are in the core's fault registers. */
export function handlePageFault(k: Kernel): void {
  count(k, 'pageFaults');
  const dcb = currentDcb(k);
  if (!isDisabled(k, dcb)) {
    saveRegisters(k, dcb, 'enabledArea');
    Dcb.faultsTaken.set(k.mem, dcb, 0);
    faultUpcall(k, dcb, DispatcherFrame.pagefaultEntry.offset);
    return;
  }
  const faults = Dcb.faultsTaken.get(k.mem, dcb) + 1;
  Dcb.faultsTaken.set(k.mem, dcb, faults);
  if (faults > MAX_DISABLED_FAULTS) {
    kill(k, dcb);
    return;
  }
  saveRegisters(k, dcb, 'trapArea');
  faultUpcall(k, dcb, DispatcherFrame.pagefaultDisabledEntry.offset);
}

/** An undefined instruction or a bus error. A disabled dispatcher does not survive it. */
export function handleFault(k: Kernel, kind: number): void {
  const dcb = currentDcb(k);
  if (isDisabled(k, dcb)) {
    kill(k, dcb);
    return;
  }
  saveRegisters(k, dcb, 'trapArea');
  faultUpcall(k, dcb, DispatcherFrame.trapEntry.offset, kind);
}

function faultUpcall(k: Kernel, dcb: Ptr<'Dcb'>, entryOffset: number, kind?: number): void {
  const entry = readUserWord64(k, frameOf(k, dcb) + entryOffset);
  if (entry === 0) {
    kill(k, dcb);
    return;
  }
  const { faultAddress, faultCode, faultAccess } = k.hal;
  upcall(k, dcb, entry, faultAddress, kind ?? faultCode, programCounter(k), faultAccess);
}

function kill(k: Kernel, dcb: Ptr<'Dcb'>): void {
  stopDispatcher(k, dcb);
  dispatchNext(k);
}

/**
 * Faults of user mode become upcalls. A dispatcher that has no handler is never run again, and
 * neither is one that takes fault after fault while it is disabled. Faults are forgiven to whoever
 * gets on: who yields, or is found enabled by an interrupt or a fault (T36).
 */

import type { Ptr } from '@barreleye/core';
import { Access, Dcb, DeathReason, DispatcherFrame, Kcb, TrapKind } from '@barreleye/spec';
import { currentDcb, frameOf } from './dcb.ts';
import { die } from './deaths.ts';
import {
  dispatchNext,
  isDisabled,
  programCounter,
  readUserWord64,
  saveRegisters,
  upcall,
} from './dispatch.ts';
import { count, type Kernel } from './kernel.ts';

/** Page faults in a row while disabled that a dispatcher survives. */
const MAX_DISABLED_FAULTS = 2;

/** A page fault; address, code and access are in the core's fault registers. */
export function handlePageFault(k: Kernel): void {
  count(k, Kcb.pageFaults);
  const dcb = currentDcb(k);
  const { faultAddress, faultCode, faultAccess } = k.hal;
  noteFault(k, faultAddress, faultCode, faultAccess);
  if (!isDisabled(k, dcb)) {
    saveRegisters(k, dcb, 'enabledArea');
    Dcb.faultsTaken.set(k.mem, dcb, 0);
    enterHandler(k, dcb, DispatcherFrame.pagefaultEntry.offset, DeathReason.PageFault);
    return;
  }
  const faults = Dcb.faultsTaken.get(k.mem, dcb) + 1;
  Dcb.faultsTaken.set(k.mem, dcb, faults);
  if (faults > MAX_DISABLED_FAULTS) {
    kill(k, dcb, DeathReason.PageFaultDisabled);
    return;
  }
  saveRegisters(k, dcb, 'trapArea');
  const entry = DispatcherFrame.pagefaultDisabledEntry;
  enterHandler(k, dcb, entry.offset, DeathReason.PageFaultDisabled);
}

/**
 * An undefined instruction, a bus error, an impossible address. A disabled dispatcher does not
 * survive it.
 */
export function handleFault(k: Kernel, kind: TrapKind): void {
  const dcb = currentDcb(k);
  // The fault registers of the hardware still hold the last fault of whoever had it.
  if (kind === TrapKind.Undefined) noteFault(k, programCounter(k), kind, Access.Execute);
  else noteFault(k, k.hal.faultAddress, kind, k.hal.faultAccess);
  if (isDisabled(k, dcb)) {
    kill(k, dcb, DeathReason.TrapDisabled);
    return;
  }
  saveRegisters(k, dcb, 'trapArea');
  Dcb.faultsTaken.set(k.mem, dcb, 0);
  enterHandler(k, dcb, DispatcherFrame.trapEntry.offset, DeathReason.Trap);
}

/** A program that gave up: it has no handler that could run. */
export function handleAbort(k: Kernel): void {
  noteFault(k, 0, TrapKind.Abort, 0);
  kill(k, currentDcb(k), DeathReason.Abort);
}

/** Fill in what a handler will be told, while the live registers are the program's. */
function noteFault(k: Kernel, address: number, code: number, access: number): void {
  const { fault } = k;
  fault.address = address;
  fault.code = code;
  fault.pc = programCounter(k);
  fault.access = access;
}

/** Enter `dcb` at the handler that its frame names at `entryOffset`; else it dies of `why`. */
function enterHandler(k: Kernel, dcb: Ptr<'Dcb'>, entryOffset: number, why: DeathReason): void {
  const entry = readUserWord64(k, frameOf(k, dcb) + entryOffset);
  if (entry === 0) kill(k, dcb, why);
  else upcall(k, dcb, entry, k.fault);
}

function kill(k: Kernel, dcb: Ptr<'Dcb'>, why: DeathReason): void {
  die(k, dcb, why, k.fault);
  dispatchNext(k);
}

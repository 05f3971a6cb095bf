/**
 * Interrupts for user mode: an IRQDest capability stands for one line of this core; connected to an
 * endpoint, every interrupt is a message without words. A line is taken as long as somebody holds
 * its capability, and connected as long as somebody beside the kernel holds the endpoint (T16).
 */

import {
  checkAvailable,
  copyToSlot,
  createCap,
  errorOf,
  findObject,
  isError,
  kill,
  locateEmptySlots,
  lookupDestination,
  lookupSlot,
  NO_SLOT,
  type Slot,
  slotOf,
} from '@barreleye/caps';
import { type Errval, errPush, isOk, OK } from '@barreleye/core';
import { IrqLine } from '@barreleye/machine';
import {
  CPTR_ROOTCN,
  Cte,
  Dcb,
  Err,
  Kcb,
  ObjType,
  placeLevel,
  placeSlot,
  Rights,
} from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import { count, type Kernel } from './kernel.ts';
import { isHeard } from './listener.ts';
import { deliver } from './lmp.ts';

/**
 * `IrqTableCmd.AllocDestCap`: make the capability for a line.
 * @errors SYS_ERR_IRQ_INVALID no such device line; SYS_ERR_IRQ_IN_USE somebody has it; errors of
 *   the destination
 */
export function allocateIrq(k: Kernel, _table: Slot): Errval {
  const { args, kcb, caps } = k;
  const line = args[0] ?? 0;
  const place = args[2] ?? 0;
  if (!isDeviceLine(line)) return Err.SYS_ERR_IRQ_INVALID;
  if (isTaken(k, line)) return Err.SYS_ERR_IRQ_IN_USE;
  const root = Dcb.cspace.at(currentDcb(k));
  const dest = lookupDestination(caps, root, CPTR_ROOTCN, args[1] ?? 0, placeLevel(place));
  if (isError(dest)) return errorOf(dest);
  const slot = locateEmptySlots(caps, slotOf(dest), placeSlot(place), 1, ObjType.IRQDest);
  if (isError(slot)) return errorOf(slot);
  disconnect(k, Kcb.irqEndpoint.at(kcb, line)); // from whoever had the line before
  createCap(caps, slotOf(slot), ObjType.IRQDest, { arg0: k.hal.coreId, arg1: line });
  return OK;
}

/**
 * `IrqDestCmd.Connect`: have the interrupts of a line delivered to an endpoint.
 * @errors e, then SYS_ERR_IRQ_LOOKUP_EP; SYS_ERR_IRQ_NOT_ENDPOINT; SYS_ERR_IRQ_NO_LISTENER;
 *   SYS_ERR_IRQ_WRONG_CONTROLLER; SYS_ERR_IRQ_INVALID no such device line, as a monitor may say of
 *   its own; those of `checkAvailable` for the endpoint; SYS_ERR_IRQ_IN_USE
 */
export function connectIrq(k: Kernel, irq: Slot): Errval {
  const { mem, args } = k;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(k.caps, root, args[0] ?? 0, args[1] ?? 0, Rights.Read);
  if (isError(found)) return errPush(errorOf(found), Err.SYS_ERR_IRQ_LOOKUP_EP);
  const source = slotOf(found);
  if (Cte.type.get(mem, source) !== ObjType.EndPointLMP) return Err.SYS_ERR_IRQ_NOT_ENDPOINT;
  if (Cte.arg1.get(mem, source) === 0) return Err.SYS_ERR_IRQ_NO_LISTENER;
  if (Cte.arg0.get(mem, irq) !== k.hal.coreId) return Err.SYS_ERR_IRQ_WRONG_CONTROLLER;
  const line = Cte.arg1.get(mem, irq);
  if (!isDeviceLine(line)) return Err.SYS_ERR_IRQ_INVALID;
  const available = checkAvailable(k.caps, source);
  if (!isOk(available)) return available;
  const target = Kcb.irqEndpoint.at(k.kcb, line);
  if (isHeard(k, target)) return Err.SYS_ERR_IRQ_IN_USE;
  disconnect(k, target);
  copyToSlot(k.caps, source, target);
  return OK;
}

/** Interrupt line `line` has fired: tell its endpoint, if it has one. */
export function deliverInterrupt(k: Kernel, line: number): void {
  const endpoint = Kcb.irqEndpoint.at(k.kcb, line);
  if (isHeard(k, endpoint)) {
    if (!isOk(deliver(k, endpoint, k.args, 0))) count(k, Kcb.lostMessages);
  } else {
    disconnect(k, endpoint);
  }
}

function isDeviceLine(line: number): boolean {
  return line >= IrqLine.FirstDevice && line < IrqLine.Count;
}

/** Whether anybody on this core holds the capability of a line. */
function isTaken(k: Kernel, line: number): boolean {
  const number = k.hal.coreId * 2 ** 32 + line;
  return findObject(k.caps, ObjType.IRQDest, number, 1) !== NO_SLOT;
}

/** Give up the endpoint of a line, if there is one. */
function disconnect(k: Kernel, slot: Slot): void {
  kill(k.caps, slot); // an endpoint ends at once, locked or not
}

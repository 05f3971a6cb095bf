/**
 * Interrupts for user mode: an IRQDest capability stands for one line of this core; connected to an
 * endpoint, every interrupt is a message without words.
 */

import {
  checkAvailable,
  copyToSlot,
  createCap,
  errorOf,
  isEmpty,
  isError,
  locateEmptySlots,
  lookupDestination,
  lookupSlot,
  type Slot,
  slotOf,
} from '@barreleye/caps';
import { type Errval, errPush, isOk, OK } from '@barreleye/core';
import { IrqLine } from '@barreleye/machine';
import { CPTR_ROOTCN, Cte, Dcb, Err, Kcb, ObjType, Rights } from '@barreleye/spec';
import { currentDcb } from './dispatch.ts';
import { count, type Kernel } from './kernel.ts';
import { deliver } from './lmp.ts';

/**
 * `IrqTableCmd.AllocDestCap`: make the capability for a line.
 * @errors SYS_ERR_IRQ_INVALID no such device line; SYS_ERR_IRQ_IN_USE somebody has it; errors of
 *   the destination
 */
export function allocateIrq(k: Kernel, _table: Slot): Errval {
  const { args, mem, kcb } = k;
  const [line = 0, cnode = 0, place = 0] = args;
  if (line < IrqLine.FirstDevice || line >= IrqLine.Count) return Err.SYS_ERR_IRQ_INVALID;
  const taken = Kcb.irqAllocated.get(mem, kcb, 0);
  if ((taken & (1 << line)) !== 0) return Err.SYS_ERR_IRQ_IN_USE;
  const root = Dcb.cspace.at(currentDcb(k));
  const dest = lookupDestination(k.caps, root, CPTR_ROOTCN, cnode, place >>> 24);
  if (isError(dest)) return errorOf(dest);
  const slotIndex = place & 0xff_ffff;
  const slot = locateEmptySlots(k.caps, slotOf(dest), slotIndex, 1, ObjType.IRQDest);
  if (isError(slot)) return errorOf(slot);
  Kcb.irqAllocated.set(mem, kcb, 0, (taken | (1 << line)) >>> 0);
  createCap(k.caps, slotOf(slot), ObjType.IRQDest, { arg0: k.hal.coreId, arg1: line });
  return OK;
}

/**
 * `IrqDestCmd.Connect`: have the interrupts of a line delivered to an endpoint.
 * @errors e, then SYS_ERR_IRQ_LOOKUP_EP; SYS_ERR_IRQ_NOT_ENDPOINT; SYS_ERR_IRQ_NO_LISTENER;
 *   SYS_ERR_IRQ_WRONG_CONTROLLER; SYS_ERR_IRQ_IN_USE
 */
export function connectIrq(k: Kernel, irq: Slot): Errval {
  const { mem } = k;
  const [endpoint = 0, level = 0] = k.args;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(k.caps, root, endpoint, level, Rights.Read);
  if (isError(found)) return errPush(errorOf(found), Err.SYS_ERR_IRQ_LOOKUP_EP);
  const source = slotOf(found);
  if (Cte.type.get(mem, source) !== ObjType.EndPointLMP) return Err.SYS_ERR_IRQ_NOT_ENDPOINT;
  if (Cte.arg1.get(mem, source) === 0) return Err.SYS_ERR_IRQ_NO_LISTENER;
  if (Cte.arg0.get(mem, irq) !== k.hal.coreId) return Err.SYS_ERR_IRQ_WRONG_CONTROLLER;
  const available = checkAvailable(k.caps, source);
  if (!isOk(available)) return available;
  const target = Kcb.irqEndpoint.at(k.kcb, Cte.arg1.get(mem, irq));
  if (!isEmpty(mem, target)) return Err.SYS_ERR_IRQ_IN_USE;
  copyToSlot(k.caps, source, target);
  return OK;
}

/** Interrupt line `line` has fired: tell its endpoint, if it has one. */
export function deliverInterrupt(k: Kernel, line: number): void {
  const endpoint = Kcb.irqEndpoint.at(k.kcb, line);
  if (isEmpty(k.mem, endpoint)) return;
  if (!isOk(deliver(k, endpoint, []))) count(k, 'lostMessages');
}

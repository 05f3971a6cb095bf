/**
 * What a core asks of others: to start, to look, whether they are off. Only these calls reach
 * beyond a core. And the two that are about all of this one: its end, and another CPU driver.
 */

import { errorOf, isError, lookupSlot, type Slot, slotOf } from '@barreleye/caps';
import { type CoreId, coreId, type Errval, MAX_CORE_ID, OK } from '@barreleye/core';
import { IrqLine } from '@barreleye/machine';
import { BOOTINFO_BYTES, Cte, Dcb, Err, Kcb, ObjType, Rights } from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import { count, type Kernel } from './kernel.ts';

/**
 * `KernelCmd.SpawnCore`: start another core with the boot information in a frame.
 * @errors those of the lookup; SYS_ERR_INVALID_SOURCE_TYPE no frame, or too small a one;
 *   SYS_ERR_CORE_START
 */
export function spawnCore(k: Kernel): Errval {
  const { mem, caps, args, hal } = k;
  const [core = 0, address = 0, level = 0] = args;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(caps, root, address, level, Rights.Read);
  if (isError(found)) return errorOf(found);
  const frame = slotOf(found);
  const isFrame = Cte.type.get(mem, frame) === ObjType.Frame;
  if (!isFrame || Cte.bytes.get(mem, frame) < BOOTINFO_BYTES) {
    return Err.SYS_ERR_INVALID_SOURCE_TYPE;
  }
  if (core > MAX_CORE_ID || core === hal.coreId) return Err.SYS_ERR_CORE_START;
  const page = Cte.base.get(mem, frame);
  return hal.startCore(coreId(core), page) ? OK : Err.SYS_ERR_CORE_START;
}

/**
 * `KernelCmd.StopCore`: this core ends with this call, and all of its domains. What they had stays
 * as it is in memory, which is for the core to take back that has given it.
 */
export function stopCore(k: Kernel): Errval {
  k.isStopping = true;
  return OK;
}

/** `KernelCmd.IsCoreOff`. @errors SYS_ERR_INVARGS_SYSCALL no number of a core */
export function isCoreOff(k: Kernel): Errval {
  const [core = 0] = k.args;
  if (core > MAX_CORE_ID) return Err.SYS_ERR_INVARGS_SYSCALL;
  k.value = k.hal.isOff(coreId(core)) ? 1 : 0;
  return OK;
}

/**
 * `KernelCmd.ReplaceDriver`: another CPU driver serves the next trap. All that this one knows is in
 * memory, so nothing is handed over.
 * @errors SYS_ERR_NO_DRIVER
 */
export function replaceDriver(k: Kernel): Errval {
  if (!k.hal.replaceDriver(k.kcb)) return Err.SYS_ERR_NO_DRIVER;
  count(k, Kcb.driverChanges);
  return OK;
}

/** `NotifyCmd.Send`. @errors SYS_ERR_IRQ_INVALID what a monitor has described is no such line */
export function sendNotification(k: Kernel, notify: Slot): Errval {
  const { mem, hal } = k;
  const core = Cte.arg0.get(mem, notify);
  const line = Cte.arg1.get(mem, notify);
  const isLine = line >= IrqLine.FirstNotify && line < IrqLine.Count;
  if (core > MAX_CORE_ID || !isLine) return Err.SYS_ERR_IRQ_INVALID;
  const target: CoreId = coreId(core);
  hal.raiseOn(target, line);
  return OK;
}

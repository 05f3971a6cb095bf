/**
 * The commands of the Kernel capability: what monitors, and nobody else, may ask of the CPU driver.
 * `KernelCmd` in @barreleye/spec documents the words. A capability is named by its address in the
 * CSpace of any domain of which the caller holds the root, or described by value.
 * Source: Barrelfish kernel/monitor.c; @differs memory that a delete frees waits for `ReclaimRam`,
 * so no command takes a slot for it.
 */

import {
  checkAvailable,
  checkRetypeable,
  clearScratch,
  clearStep,
  copyExisting,
  copyToSlot,
  createDescribed,
  deleteForeigns,
  deleteLast,
  deleteStepInto,
  errorOf,
  hasDescendants,
  invokeReclaimRam,
  invokeRetype,
  isError,
  kill,
  localRelations,
  lock,
  lookupCNode,
  lookupSlot,
  lookupSource,
  markRelations,
  markTarget,
  nullify,
  readDescription,
  type Slot,
  scratchSlot,
  setOwner,
  setRelations,
  slotOf,
  unlock,
} from '@barreleye/caps';
import { asPtr, coreId, type Errval, fromWords, isOk, MAX_CORE_ID, OK } from '@barreleye/core';
import {
  ARCH_NAMES,
  CAP_WORDS,
  COUNTERS,
  Cte,
  Dcb,
  DEATH_REPORT_WORDS,
  Err,
  Kcb,
  KernelCmd,
  ObjType,
  placeLevel,
  placeSlot,
  Rights,
} from '@barreleye/spec';
import { isCoreOff, replaceDriver, spawnCore, stopCore } from './cores.ts';
import { currentDcb } from './dcb.ts';
import { identifySlot } from './identify.ts';
import { invalidate } from './invalidate.ts';
import { type Commands, type Invocation, row } from './invocation.ts';
import type { Kernel } from './kernel.ts';

const { Read, Write } = Rights;

export const KERNEL: Commands = {
  [KernelCmd.SpawnCore]: row(Read, 3, spawnCore),
  [KernelCmd.IdentifyCap]: onOwn(0, identifySlot),
  [KernelCmd.IdentifyDomainsCap]: onAny(0, identifySlot),
  [KernelCmd.RemoteRelations]: onAny(1, (k, slot) => {
    const [, , , word = 0] = k.args;
    k.value = setRelations(k.caps, slot, word & 0xff, (word >>> 8) & 0xff);
    return OK;
  }),
  [KernelCmd.CapHasRelations]: onOwn(1, (k, slot) => {
    k.value = localRelations(k.caps, slot, k.args[2] ?? 0);
    return OK;
  }),
  [KernelCmd.CreateCap]: onDescribed(2, (k) => intoCNode(k, CAP_WORDS, createDescribed)),
  [KernelCmd.CopyExisting]: onDescribed(2, (k) => intoCNode(k, CAP_WORDS, copyExisting)),
  [KernelCmd.GetCoreId]: row(Read, 0, (k) => {
    k.value = k.hal.coreId;
    return OK;
  }),
  [KernelCmd.GetArchId]: row(Read, 0, (k) => {
    k.value = ARCH_NAMES.indexOf(k.hal.arch.name);
    return OK;
  }),
  [KernelCmd.NullifyCap]: onOwn(0, (k, slot) => nullify(k.caps, slot), Read | Write),
  [KernelCmd.Register]: onOwn(0, registerMonitor),
  [KernelCmd.DomainId]: onOwn(1, setDomainId),
  [KernelCmd.GetCapOwner]: onAny(0, (k, slot) => {
    k.value = Cte.owner.get(k.mem, slot);
    return OK;
  }),
  [KernelCmd.SetCapOwner]: onAny(1, (k, slot) => {
    const [, , , owner = 0] = k.args;
    if (owner > MAX_CORE_ID) return Err.SYS_ERR_INVARGS_SYSCALL;
    return setOwner(k.caps, slot, coreId(owner));
  }),
  [KernelCmd.LockCap]: onAny(0, (k, slot) => lock(k.caps, slot)),
  [KernelCmd.UnlockCap]: onAny(0, (k, slot) => {
    unlock(k.caps, slot);
    return OK;
  }),
  [KernelCmd.DeleteLast]: onAny(0, (k, slot) => deleteLast(k.caps, slot)),
  [KernelCmd.DeleteForeigns]: onOwn(0, (k, slot) => deleteForeigns(k.caps, slot), Read | Write),
  [KernelCmd.RevokeMarkTarget]: onAny(0, (k, slot) => markTarget(k.caps, slot)),
  [KernelCmd.RevokeMarkRelations]: onDescribed(0, (k) => markRelations(k.caps)),
  [KernelCmd.DeleteStep]: row(Read, 2, (k) =>
    intoCNode(k, 0, (caps, cnode, slotIndex) => {
      const done = deleteStepInto(caps, cnode, slotIndex);
      if (isError(done)) return errorOf(done);
      k.value = done;
      return OK;
    }),
  ),
  [KernelCmd.ClearStep]: row(Read, 0, (k) => clearStep(k.caps)),
  [KernelCmd.Retype]: row(Read, 10, (k) => invokeRetype(k.caps, cspaceOf(k), k.args, true)),
  [KernelCmd.HasDescendants]: onDescribed(0, (k, scratch) => {
    k.value = hasDescendants(k.caps, scratch) ? 1 : 0;
    return OK;
  }),
  [KernelCmd.IsRetypeable]: onDescribed(5, (k) => {
    const [low = 0, high = 0, bytesLow = 0, bytesHigh = 0, count = 0] = k.args.subarray(CAP_WORDS);
    const bytes = fromWords(bytesLow, bytesHigh);
    return checkRetypeable(k.caps, fromWords(low, high), bytes, count);
  }),
  [KernelCmd.ReclaimRam]: row(Read, 2, (k) => invokeReclaimRam(k.caps, cspaceOf(k), k.args)),
  [KernelCmd.Counters]: row(Read, 1, readCounter),
  [KernelCmd.GetScheduler]: row(Read, 0, (k) => {
    k.value = Kcb.scheduler.get(k.mem, k.kcb);
    return OK;
  }),
  [KernelCmd.StopCore]: row(Read, 0, stopCore),
  [KernelCmd.IsCoreOff]: row(Read, 1, isCoreOff),
  [KernelCmd.ReplaceDriver]: row(Read, 0, replaceDriver),
  [KernelCmd.Invalidate]: row(Read, 3, invalidate),
};

/** An operation on the capability that a call is about. */
type Operation = (k: Kernel, slot: Slot) => Errval;

/** On a capability of the caller's own CSpace: words cap, level, and `argCount` more. */
function onOwn(argCount: number, operate: Operation, path: number = Read): Invocation {
  return row(Read, 2 + argCount, (k) => {
    const [cap = 0, level = 0] = k.args;
    const found = lookupSlot(k.caps, cspaceOf(k), cap, level, path);
    return isError(found) ? errorOf(found) : operate(k, slotOf(found));
  });
}

/** On a capability of any CSpace: words cspace, cap, level, and `argCount` more. */
function onAny(argCount: number, operate: Operation): Invocation {
  return row(Read, 3 + argCount, (k) => {
    const [cspace = 0, cap = 0, level = 0] = k.args;
    const found = lookupSource(k.caps, cspaceOf(k), cspace, cap, level);
    return isError(found) ? errorOf(found) : operate(k, slotOf(found));
  });
}

/** On a capability described by value: its words, and `argCount` more. */
function onDescribed(argCount: number, operate: Operation): Invocation {
  return row(Read, CAP_WORDS + argCount, (k) => {
    const described = readDescription(k.caps, k.args);
    if (!isOk(described)) return described;
    const err = operate(k, scratchSlot(k.caps));
    clearScratch(k.caps);
    return err;
  });
}

/** Put something into a slot of the caller's CSpace: words `at` dest cnode, `at + 1` place. */
function intoCNode(
  k: Kernel,
  at: number,
  put: (caps: Kernel['caps'], cnode: Slot, slotIndex: number) => Errval,
): Errval {
  const [address = 0, place = 0] = k.args.subarray(at);
  const cnode = lookupCNode(k.caps, cspaceOf(k), address, placeLevel(place));
  return isError(cnode) ? errorOf(cnode) : put(k.caps, slotOf(cnode), placeSlot(place));
}

/** The slot of the caller's root CNode. */
function cspaceOf(k: Kernel): Slot {
  return Dcb.cspace.at(currentDcb(k));
}

/**
 * Have deaths reported to this endpoint from now on, those that nobody was told of first.
 * @errors SYS_ERR_INVALID_SOURCE_TYPE no endpoint; SYS_ERR_INVALID_EPLEN its ring is too short for
 *   a report; those of `checkAvailable`
 */
function registerMonitor(k: Kernel, endpoint: Slot): Errval {
  const { mem, caps, kcb } = k;
  if (Cte.type.get(mem, endpoint) !== ObjType.EndPointLMP) return Err.SYS_ERR_INVALID_SOURCE_TYPE;
  // A header, and a word that stays free.
  if (Cte.arg1.get(mem, endpoint) < DEATH_REPORT_WORDS + 2) return Err.SYS_ERR_INVALID_EPLEN;
  const available = checkAvailable(caps, endpoint);
  if (!isOk(available)) return available;
  const target = Kcb.monitorEp.at(kcb);
  kill(caps, target);
  copyToSlot(caps, endpoint, target);
  return OK;
}

/**
 * Say which domain a dispatcher belongs to.
 * @errors SYS_ERR_DISP_OCAP_TYPE no dispatcher; SYS_ERR_CAP_LOCKED
 */
function setDomainId(k: Kernel, dispatcher: Slot): Errval {
  const { mem } = k;
  if (Cte.type.get(mem, dispatcher) !== ObjType.Dispatcher) return Err.SYS_ERR_DISP_OCAP_TYPE;
  const available = checkAvailable(k.caps, dispatcher);
  if (!isOk(available)) return available;
  const dcb = asPtr<'Dcb'>(Cte.base.get(mem, dispatcher));
  Dcb.domainCore.set(mem, dcb, k.hal.coreId);
  Dcb.domainId.set(mem, dcb, k.args[2] ?? 0);
  return OK;
}

function readCounter(k: Kernel): Errval {
  const counter = COUNTERS[k.args[0] ?? 0];
  if (counter === undefined) return Err.SYS_ERR_INVARGS_SYSCALL;
  k.value = Kcb[counter.field].get(k.mem, k.kcb);
  return OK;
}

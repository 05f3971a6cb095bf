/**
 * The table of invocations: by capability type and command. What a row does not say (arguments,
 * rights) nobody checks elsewhere; what is not in the table does not exist.
 */

import {
  errorOf,
  type Identification,
  invokeCopy,
  invokeCreate,
  invokeDelete,
  invokeGetState,
  invokeIdentify,
  invokeMint,
  invokeReclaimRam,
  invokeResize,
  invokeRetype,
  invokeRevoke,
  isError,
  type Slot,
} from '@barreleye/caps';
import { asPaddr, coreId, type Errval, highWord, lowWord, OK } from '@barreleye/core';
import {
  CAP_TYPE_INFO,
  CNodeCmd,
  COUNTERS,
  Cte,
  Dcb,
  DispatcherFrame,
  Err,
  IdCmd,
  IrqDestCmd,
  IrqTableCmd,
  Kcb,
  KernelCmd,
  MappingCmd,
  ObjType,
  RamCmd,
  Rights,
  VNodeCmd,
} from '@barreleye/spec';
import { currentDcb, frameOf } from './dcb.ts';
import { allocateIrq, connectIrq } from './irq.ts';
import type { Kernel } from './kernel.ts';
import { modifyMapping, modifyTable } from './page-flags.ts';
import { mapIntoVnode, unmapFromVnode } from './vnode.ts';

/** One operation of one type. */
export interface Invocation {
  /** Rights that the invoked capability itself must have (T40). */
  readonly rights: number;
  /** 32-bit argument words it reads. */
  readonly argCount: number;
  /** Runs to completion; arguments are in `k.args`, a value goes to `k.value`. */
  readonly run: (k: Kernel, cap: Slot) => Errval;
}

type Commands = { readonly [command: number]: Invocation };

const { Read, Write } = Rights;

const CNODE: Commands = {
  [CNodeCmd.Copy]: row(Read, 6, (k, cap) => invokeCopy(k.caps, cap, k.args)),
  [CNodeCmd.Mint]: row(Read, 9, (k, cap) => invokeMint(k.caps, cap, k.args)),
  [CNodeCmd.Retype]: row(Read, 10, (k, cap) => invokeRetype(k.caps, cap, k.args)),
  [CNodeCmd.Delete]: row(Read, 2, (k, cap) => invokeDelete(k.caps, cap, k.args)),
  [CNodeCmd.Revoke]: row(Read, 2, (k, cap) => invokeRevoke(k.caps, cap, k.args)),
  [CNodeCmd.Create]: row(Read, 3, (k, cap) => invokeCreate(k.caps, cap, k.args)),
  [CNodeCmd.GetState]: row(Read, 2, getState),
  [CNodeCmd.GetSize]: row(Read, 0, getSize),
  [CNodeCmd.Resize]: row(Read | Write, 3, (k, cap) => invokeResize(k.caps, cap, k.args)),
  [CNodeCmd.Identify]: row(Read, 2, identifyCap),
};

const VNODE: Commands = {
  [VNodeCmd.Map]: row(0, 9, mapIntoVnode),
  [VNodeCmd.Unmap]: row(0, 2, unmapFromVnode),
  [VNodeCmd.ModifyFlags]: row(0, 3, modifyTable),
};

const MAPPING: Commands = { [MappingCmd.Modify]: row(0, 3, modifyMapping) };

const KERNEL: Commands = {
  [KernelCmd.GetCoreId]: row(Read, 0, (k) => answer(k, k.hal.coreId)),
  [KernelCmd.ReclaimRam]: row(Read, 2, (k) => invokeReclaimRam(k.caps, cspaceOf(k), k.args)),
  [KernelCmd.Counters]: row(Read, 1, readCounter),
};

/** Commands by type number; types that have none are absent. */
export const INVOCATIONS: { readonly [type: number]: Commands } = {
  ...Object.fromEntries(
    CAP_TYPE_INFO.filter((info) => info.vnode).map((info) => [info.type, VNODE]),
  ),
  ...Object.fromEntries(
    CAP_TYPE_INFO.filter((info) => info.mapping).map((info) => [info.type, MAPPING]),
  ),
  [ObjType.L1CNode]: CNODE,
  [ObjType.L2CNode]: CNODE,
  [ObjType.Kernel]: KERNEL,
  [ObjType.RAM]: { [RamCmd.Noop]: row(Read, 0, () => OK) },
  [ObjType.ID]: { [IdCmd.Identify]: row(Read, 0, identifyId) },
  [ObjType.IRQTable]: { [IrqTableCmd.AllocDestCap]: row(Read, 3, allocateIrq) },
  [ObjType.IRQDest]: {
    [IrqDestCmd.Connect]: row(Write, 2, connectIrq),
    [IrqDestCmd.GetVector]: row(Read, 0, (k, cap) => answer(k, Cte.arg1.get(k.mem, cap))),
    [IrqDestCmd.GetCpu]: row(Read, 0, (k, cap) => answer(k, Cte.arg0.get(k.mem, cap))),
  },
};

function row(rights: number, argCount: number, run: Invocation['run']): Invocation {
  return { rights, argCount, run };
}

/** The slot of the caller's root CNode. */
function cspaceOf(k: Kernel): Slot {
  return Dcb.cspace.at(currentDcb(k));
}

function answer(k: Kernel, value: number): Errval {
  k.value = value;
  return OK;
}

function getState(k: Kernel, cap: Slot): Errval {
  const state = invokeGetState(k.caps, cap, k.args);
  return isError(state) ? errorOf(state) : answer(k, state);
}

function getSize(k: Kernel, cap: Slot): Errval {
  if (Cte.type.get(k.mem, cap) !== ObjType.L1CNode) return Err.SYS_ERR_CNODE_NOT_ROOT;
  return answer(k, Cte.bytes.get(k.mem, cap));
}

/** The core that made the ID, and its number there, in one value. */
function identifyId(k: Kernel, cap: Slot): Errval {
  return answer(k, Cte.arg0.get(k.mem, cap) * 2 ** 32 + Cte.arg1.get(k.mem, cap));
}

/** Type and rights as the value; base, bytes, owner in the message words of the caller's frame. */
function identifyCap(k: Kernel, cap: Slot): Errval {
  const out: Identification = {
    type: 0,
    rights: 0,
    owner: coreId(0),
    base: asPaddr(0),
    bytes: 0,
    arg0: 0,
    arg1: 0,
    iftype: 0,
  };
  const err = invokeIdentify(k.caps, cap, k.args, out);
  if (err !== OK) return err;
  const { mem } = k;
  const frame = frameOf(k, currentDcb(k));
  const words = [
    lowWord(out.base),
    highWord(out.base),
    lowWord(out.bytes),
    highWord(out.bytes),
    out.owner,
    out.arg0,
    out.arg1,
  ];
  for (const [i, word] of words.entries()) DispatcherFrame.message.set(mem, frame, i, word);
  return answer(k, out.type | (out.rights << 8));
}

function readCounter(k: Kernel): Errval {
  const counter = COUNTERS[k.args[0] ?? 0];
  if (counter === undefined) return Err.SYS_ERR_INVARGS_SYSCALL;
  return answer(k, Kcb[counter.field].get(k.mem, k.kcb));
}

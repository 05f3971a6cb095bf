/**
 * The table of invocations: by capability type and command. What a row does not say (arguments,
 * rights) nobody checks elsewhere; what is not in the table does not exist.
 */

import {
  errorOf,
  invokeCopy,
  invokeCreate,
  invokeDelete,
  invokeGetState,
  invokeMint,
  invokeResize,
  invokeRetype,
  invokeRevoke,
  isError,
  type Slot,
} from '@barreleye/caps';
import { type Errval, OK } from '@barreleye/core';
import {
  CAP_TYPE_INFO,
  CNodeCmd,
  Cte,
  DispatcherCmd,
  EndpointCmd,
  Err,
  IdCmd,
  IrqDestCmd,
  IrqSrcCmd,
  IrqTableCmd,
  KcbCmd,
  MappingCmd,
  NotifyCmd,
  ObjType,
  RamCmd,
  Rights,
  VNodeCmd,
} from '@barreleye/spec';
import { sendNotification } from './cores.ts';
import { identifyEndpoint, identifyInCNode } from './identify.ts';
import { type Commands, row } from './invocation.ts';
import { allocateIrq, connectIrq } from './irq.ts';
import type { Kernel } from './kernel.ts';
import { KERNEL } from './kernel-cap.ts';
import { modifyMapping, modifyTable } from './page-flags.ts';
import { setupDispatcher } from './setup.ts';
import { invokeResume, invokeStop } from './stop.ts';
import { setProperties } from './task.ts';
import { mapIntoVnode, unmapFromVnode } from './vnode.ts';

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
  [CNodeCmd.Identify]: row(Read, 2, identifyInCNode),
};

const VNODE: Commands = {
  [VNodeCmd.Map]: row(0, 9, mapIntoVnode),
  [VNodeCmd.Unmap]: row(0, 2, unmapFromVnode),
  [VNodeCmd.ModifyFlags]: row(0, 3, modifyTable),
};

const MAPPING: Commands = { [MappingCmd.Modify]: row(0, 3, modifyMapping) };

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
  [ObjType.Dispatcher]: {
    [DispatcherCmd.Setup]: row(Write, 8, setupDispatcher),
    [DispatcherCmd.Properties]: row(Write, 10, setProperties),
    [DispatcherCmd.Stop]: row(Write, 0, invokeStop),
    [DispatcherCmd.Resume]: row(Write, 0, invokeResume),
  },
  [ObjType.EndPointLMP]: { [EndpointCmd.Identify]: row(Rights.Identify, 0, identifyEndpoint) },
  [ObjType.RAM]: { [RamCmd.Noop]: row(Read, 0, () => OK) },
  [ObjType.ID]: { [IdCmd.Identify]: row(Read, 0, identifyId) },
  [ObjType.KernelControlBlock]: { [KcbCmd.Identify]: row(Read, 0, identifyKcb) },
  [ObjType.IRQSrc]: {
    [IrqSrcCmd.GetVecStart]: row(Read, 0, (k, cap) => answer(k, Cte.arg0.get(k.mem, cap))),
    [IrqSrcCmd.GetVecEnd]: row(Read, 0, (k, cap) => answer(k, Cte.arg1.get(k.mem, cap))),
  },
  [ObjType.Notify_IPI]: { [NotifyCmd.Send]: row(Write, 0, sendNotification) },
  [ObjType.IRQTable]: { [IrqTableCmd.AllocDestCap]: row(Read, 3, allocateIrq) },
  [ObjType.IRQDest]: {
    [IrqDestCmd.Connect]: row(Write, 2, connectIrq),
    [IrqDestCmd.GetVector]: row(Read, 0, (k, cap) => answer(k, Cte.arg1.get(k.mem, cap))),
    [IrqDestCmd.GetCpu]: row(Read, 0, (k, cap) => answer(k, Cte.arg0.get(k.mem, cap))),
  },
};

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

/** The physical address of the block, of which the type fixes the size. */
function identifyKcb(k: Kernel, cap: Slot): Errval {
  return answer(k, Cte.base.get(k.mem, cap));
}

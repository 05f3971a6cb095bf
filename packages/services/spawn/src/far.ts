/**
 * Making a dispatcher of a domain of another core: its root table and its frame are memory of that
 * core, which the monitors have described to each other; its CSpace and its control block are made
 * of the memory of whoever makes it. ADR 16.
 */

import { type Errval, errPush, fail, isOk, OK, type Result, succeed } from '@barreleye/core';
import {
  type CapIdentity,
  type Capref,
  capLend,
  dispatcherSetup,
  KernelCap,
  type Slot,
  type Sys,
  TASK_KERNEL,
} from '@barreleye/libos';
import type { MemorySource } from '@barreleye/paging';
import {
  type CapTypeName,
  type CopyableTypeName,
  capAddrOf,
  Err,
  L1_CNODE_GRANULE,
  Rights,
  RootSlot,
  SpanSlot,
  TaskSlot,
  type VNodeTypeName,
} from '@barreleye/spec';
import { mustUndo, Parts } from './parts.ts';

/** A dispatcher that is to be far from home. */
export interface FarRequest {
  /** The domain: the core that it is of, and its number there. */
  readonly home: { readonly core: number; readonly domain: number };
  readonly rootTable: CapIdentity & { readonly type: VNodeTypeName };
  /** The dispatcher frame, filled in, and where the domain sees it. */
  readonly frame: CapIdentity & { readonly type: 'Frame' };
  readonly frameVaddr: number;
  /** At which it is notified. */
  readonly line: Capref<'IRQDest'>;
  /** Notifies its home. */
  readonly bell: Capref<'Notify_IPI'>;
}

/** A far dispatcher that runs. */
export interface FarDispatcher {
  readonly dispatcher: Capref<'Dispatcher'>;
  /**
   * End it, whatever it is doing. Nothing of its domain's memory is known on this core then.
   * @errors LIB_ERR_SPAWN_KILL over the reason; it can be tried again
   */
  readonly kill: () => Errval;
}

/**
 * Make a dispatcher for a domain of another core and run it.
 * @errors LIB_ERR_SPAWN over the reason
 * @post on failure nothing is left
 */
export function spawnFar(
  sys: Sys,
  source: MemorySource,
  request: FarRequest,
): Result<FarDispatcher> {
  const parts = new Parts(sys, source);
  const made = build(sys, request, parts);
  if (!made.ok) {
    mustUndo(parts);
    return fail(errPush(made.err, Err.LIB_ERR_SPAWN));
  }
  const kill = (): Errval => {
    const undone = parts.undo();
    return isOk(undone) ? OK : errPush(undone, Err.LIB_ERR_SPAWN_KILL);
  };
  return succeed({ dispatcher: made.value, kill });
}

type Put = readonly [cap: Capref<CopyableTypeName>, l1Index: number, slot?: number];

function build(sys: Sys, request: FarRequest, parts: Parts): Result<Capref<'Dispatcher'>> {
  const { home, line, bell, frameVaddr } = request;
  const rootCn = parts.make('L1CNode', L1_CNODE_GRANULE);
  if (!rootCn.ok) return rootCn;
  const puts: Put[] = [];
  for (const l1Index of [
    RootSlot.TaskCn,
    RootSlot.PageCn,
    RootSlot.ArgCn,
    RootSlot.SlotAlloc1,
    RootSlot.SlotAlloc2,
  ]) {
    const cnode = parts.make('L2CNode');
    if (!cnode.ok) return cnode;
    puts.push([cnode.value, l1Index]);
  }
  const rootTable = describe(sys, parts, request.rootTable);
  if (!rootTable.ok) return rootTable;
  const frame = describe(sys, parts, request.frame);
  if (!frame.ok) return frame;
  const identity = { rights: Rights.Lent, iftype: 0, base: 0, bytes: 0, owner: home.core };
  const numbers = { arg0: home.core, arg1: home.domain };
  const domain = describe(sys, parts, { type: 'Domain', ...identity, ...numbers });
  if (!domain.ok) return domain;
  const dispatcher = parts.make('Dispatcher');
  if (!dispatcher.ok) return dispatcher;
  puts.push(
    [dispatcher.value, RootSlot.TaskCn, TaskSlot.Dispatcher],
    [rootCn.value, RootSlot.TaskCn, TaskSlot.RootCn],
    [frame.value, RootSlot.TaskCn, TaskSlot.DispatcherFrame],
    [rootTable.value, RootSlot.PageCn, 0],
    [line, RootSlot.ArgCn, SpanSlot.Line],
    [bell, RootSlot.ArgCn, SpanSlot.Home],
  );
  for (const [source, l1Index, slot] of puts) {
    const place = { croot: rootCn.value.cptr, level: slot === undefined ? 1 : 2 } as const;
    const cptr = capAddrOf(l1Index, slot ?? 0) as Slot['cptr'];
    const lent = capLend(sys, { ...place, cptr }, source);
    if (!lent.ok) return lent;
  }
  const err = dispatcherSetup(sys, dispatcher.value, {
    cspace: rootCn.value,
    vspaceRoot: capAddrOf(RootSlot.PageCn, 0),
    frame: capAddrOf(RootSlot.TaskCn, TaskSlot.DispatcherFrame),
    frameVaddr,
    isRun: true,
    domain: domain.value,
  });
  return isOk(err) ? dispatcher : fail(err);
}

/** A capability of what another core has, among the parts. */
function describe<T extends CapTypeName>(
  sys: Sys,
  parts: Parts,
  identity: CapIdentity & { readonly type: T },
): Result<Capref<T>> {
  const slot = parts.allocSlot();
  return slot.ok ? new KernelCap(sys, TASK_KERNEL).create(slot.value, identity) : slot;
}

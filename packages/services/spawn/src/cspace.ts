/** What a new domain finds in its CSpace. */

import { type Errval, OK } from '@barreleye/core';
import { type Capref, capLend, rootCapref, type Sys } from '@barreleye/libos';
import {
  type CopyableTypeName,
  capAddrOf,
  Err,
  L2_CNODE_SLOTS,
  RootSlot,
  TaskSlot,
} from '@barreleye/spec';
import type { Objects } from './objects.ts';
import type { SpawnRequest } from './request.ts';

type Copy = readonly [cap: Capref<CopyableTypeName>, l1Index: number, slot?: number];

/**
 * The well-known slots of a domain. What is in them goes with its root CNode. All of it is lent: a
 * domain that could revoke it would take from its spawner, and from others, what is theirs.
 */
export function fillCspace(sys: Sys, objects: Objects, request: SpawnRequest): Errval {
  const { caps = [], taskCaps = [], domain } = request;
  const { rootCn, taskCn, pageCn, slotCns, argCn } = objects;
  if (caps.length > L2_CNODE_SLOTS) return Err.SPAWN_ERR_ARGS;
  const copies: Copy[] = [
    [taskCn, RootSlot.TaskCn],
    [pageCn, RootSlot.PageCn],
    ...slotCns.map((cnode, i): Copy => [cnode, RootSlot.SlotAlloc1 + i]),
    [objects.dispatcher, RootSlot.TaskCn, TaskSlot.Dispatcher],
    [rootCn, RootSlot.TaskCn, TaskSlot.RootCn],
    [objects.frame, RootSlot.TaskCn, TaskSlot.DispatcherFrame],
    [objects.argsFrame, RootSlot.TaskCn, TaskSlot.ArgsPage],
    [objects.rootTable, RootSlot.PageCn, 0],
    ...taskCaps.map(([slot, cap]): Copy => [cap, RootSlot.TaskCn, slot]),
  ];
  if (domain !== undefined) copies.push([domain, RootSlot.TaskCn, TaskSlot.DomainId]);
  if (argCn !== undefined) copies.push([argCn, RootSlot.ArgCn]);
  copies.push(...caps.map((cap, i): Copy => [cap, RootSlot.ArgCn, i]));
  for (const [source, l1Index, slot] of copies) {
    const own = rootCapref<'Null'>(l1Index);
    const cptr = capAddrOf(l1Index, slot ?? 0) as typeof own.cptr;
    const level = slot === undefined ? 1 : 2;
    const copied = capLend(sys, { croot: rootCn.cptr, cptr, level }, source);
    if (!copied.ok) return copied.err;
  }
  return OK;
}

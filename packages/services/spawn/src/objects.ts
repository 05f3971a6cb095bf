/** What a domain is made of: kernel objects, page tables, and frames for it to begin with. */

import { type Errval, fail, isOk, OK, panic, type Result, succeed } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import { Vspace } from '@barreleye/paging';
import {
  ARGS_PAGE_BYTES,
  CAP_TYPE_NAMES,
  DISPATCHER_FRAME_BYTES,
  IMAGE_BYTES,
  L1_CNODE_GRANULE,
  type MappableTypeName,
  PageFlag,
  type VNodeTypeName,
} from '@barreleye/spec';
import type { Parts } from './parts.ts';
import type { Spawner, SpawnRequest } from './request.ts';

/** All of it, as capabilities of the spawner. */
export interface Objects {
  readonly rootCn: Capref<'L1CNode'>;
  readonly taskCn: Capref<'L2CNode'>;
  readonly pageCn: Capref<'L2CNode'>;
  readonly slotCns: readonly Capref<'L2CNode'>[];
  readonly dispatcher: Capref<'Dispatcher'>;
  readonly frame: Capref<'Frame'>;
  readonly argsFrame: Capref<'Frame'>;
  /** There is one if there are capabilities for it. */
  readonly argCn: Capref<'L2CNode'> | undefined;
  readonly rootTable: Capref<VNodeTypeName>;
}

const { Read, Write, Execute } = PageFlag;

/** Kernel objects and page tables; the dispatcher last, so that it is the first to go. */
export function makeObjects(
  spawner: Spawner,
  { image, caps = [] }: SpawnRequest,
  parts: Parts,
): Result<Objects> {
  const { paging } = spawner;
  const [shape] = paging.levels;
  const rootType = CAP_TYPE_NAMES[shape?.type ?? 0] as VNodeTypeName;
  const rootCn = parts.make('L1CNode', L1_CNODE_GRANULE);
  if (!rootCn.ok) return rootCn;
  const cnodes: Capref<'L2CNode'>[] = [];
  for (let i = caps.length > 0 ? 0 : 1; i < 5; i++) {
    const cnode = parts.make('L2CNode');
    if (!cnode.ok) return cnode;
    cnodes.unshift(cnode.value);
  }
  const [taskCn, pageCn, slots1, slots2, argCn] = cnodes;
  if (!taskCn || !pageCn || !slots1 || !slots2) return panic('four CNodes were made');
  const rootTable = parts.make(rootType);
  if (!rootTable.ok) return rootTable;
  const frame = parts.make('Frame', DISPATCHER_FRAME_BYTES);
  if (!frame.ok) return frame;
  const argsFrame = parts.make('Frame', ARGS_PAGE_BYTES);
  if (!argsFrame.ok) return argsFrame;
  const shown = { image, frame: frame.value, argsFrame: argsFrame.value };
  const err = fillVspace(spawner, rootTable.value, shown, parts);
  if (!isOk(err)) return fail(err);
  const dispatcher = parts.make('Dispatcher');
  if (!dispatcher.ok) return dispatcher;
  return succeed({
    rootCn: rootCn.value,
    taskCn,
    pageCn,
    slotCns: [slots1, slots2],
    argCn,
    dispatcher: dispatcher.value,
    frame: frame.value,
    argsFrame: argsFrame.value,
    rootTable: rootTable.value,
  });
}

/** What a domain sees from the start. */
interface Shown {
  readonly image: Capref<MappableTypeName>;
  readonly frame: Capref<'Frame'>;
  readonly argsFrame: Capref<'Frame'>;
}

/** Everything where programs expect it; the page tables for it. */
function fillVspace(
  { sys, paging }: Spawner,
  rootTable: Capref<VNodeTypeName>,
  { image, frame, argsFrame }: Shown,
  parts: Parts,
): Errval {
  const { imageBase, dispatcherBase, bootInfoBase, userBase, userLimit } = sys.cpu.arch;
  const limits = { from: userBase, to: userLimit };
  const space = new Vspace({ sys, paging, root: rootTable, source: parts, ...limits });
  const requests = [
    [imageBase, { frame: image, bytes: IMAGE_BYTES, flags: Read | Execute, name: 'image' }],
    [dispatcherBase, { frame, bytes: DISPATCHER_FRAME_BYTES, flags: Read | Write, name: 'frame' }],
    [bootInfoBase, { frame: argsFrame, bytes: ARGS_PAGE_BYTES, flags: Read, name: 'arguments' }],
  ] as const;
  for (const [base, mapped] of requests) {
    const region = space.mapFixed(base, mapped);
    if (!region.ok) return region.err;
  }
  return OK;
}

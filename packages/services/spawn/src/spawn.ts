/**
 * Making a domain out of a program image. Everything it lives by is made of the spawner's memory
 * and handed over in its CSpace: well-known CNodes, page tables, dispatcher. A spawn that fails at
 * any step leaves nothing behind.
 * Source: Barrelfish lib/spawndomain, in its order.
 */

import {
  type Errval,
  errPush,
  fail,
  highWord,
  isOk,
  lowWord,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import { type Capref, capCopy, dispatcherSetup, rootCapref, type Sys } from '@barreleye/libos';
import { type MemorySource, type TableShape, Vspace } from '@barreleye/paging';
import {
  CAP_TYPE_NAMES,
  type CopyableTypeName,
  capAddrOf,
  DISPATCHER_FRAME_BYTES,
  DispatcherFrame,
  Err,
  GATE_BYTES,
  GATES_AT,
  Gate,
  IMAGE_BYTES,
  L1_CNODE_GRANULE,
  type MappableTypeName,
  PageFlag,
  RootSlot,
  TaskSlot,
  type VNodeTypeName,
} from '@barreleye/spec';
import { mustUndo, Parts } from './parts.ts';

/** Whoever makes domains: system calls, memory, and an address space to look at frames in. */
export interface Spawner {
  readonly sys: Sys;
  readonly source: MemorySource;
  readonly vspace: Vspace;
  /** Page tables of the core. */
  readonly paging: TableShape;
}

export interface SpawnRequest {
  /** For people, at most 16 characters of ASCII. */
  readonly name: string;
  /** The page of gates of a program. */
  readonly image: Capref<MappableTypeName>;
}

/** A domain that runs. */
export interface SpawnedDomain {
  readonly name: string;
  readonly dispatcher: Capref<'Dispatcher'>;
  /** The root of its CSpace. */
  readonly rootCn: Capref<'L1CNode'>;
  /**
   * End it, whatever it is doing, and take its memory back.
   * @errors LIB_ERR_SPAWN_KILL over the reason; it can be tried again
   */
  readonly kill: () => Errval;
}

/** What a domain is made of, as capabilities of its spawner. */
interface Cores {
  readonly rootCn: Capref<'L1CNode'>;
  readonly taskCn: Capref<'L2CNode'>;
  readonly pageCn: Capref<'L2CNode'>;
  readonly slotCns: readonly Capref<'L2CNode'>[];
  readonly dispatcher: Capref<'Dispatcher'>;
  readonly frame: Capref<'Frame'>;
  readonly rootTable: Capref<VNodeTypeName>;
}

const { Read, Write, Execute } = PageFlag;

/**
 * Make a domain of a program and run it.
 * @errors LIB_ERR_SPAWN over the reason
 * @post on failure nothing is left
 */
export function spawnProgram(spawner: Spawner, request: SpawnRequest): Result<SpawnedDomain> {
  const parts = new Parts(spawner.sys, spawner.source);
  const made = build(spawner, request, parts);
  if (!made.ok) {
    mustUndo(parts);
    return fail(errPush(made.err, Err.LIB_ERR_SPAWN));
  }
  const kill = (): Errval => {
    const err = parts.undo();
    return isOk(err) ? OK : errPush(err, Err.LIB_ERR_SPAWN_KILL);
  };
  const { dispatcher, rootCn } = made.value;
  return succeed({ name: request.name, dispatcher, rootCn, kill });
}

function build(spawner: Spawner, request: SpawnRequest, parts: Parts): Result<Cores> {
  const { sys } = spawner;
  const cores = makeCores(spawner, request.image, parts);
  if (!cores.ok) return cores;
  let err = fillCspace(sys, cores.value);
  if (isOk(err)) err = fillFrame(spawner, cores.value, request.name);
  if (!isOk(err)) return fail(err);
  const { rootCn, dispatcher } = cores.value;
  err = dispatcherSetup(sys, dispatcher, {
    cspace: rootCn,
    vspaceRoot: capAddrOf(RootSlot.PageCn, 0),
    frame: capAddrOf(RootSlot.TaskCn, TaskSlot.DispatcherFrame),
    frameVaddr: sys.cpu.arch.dispatcherBase,
    isRun: true,
  });
  return isOk(err) ? cores : fail(err);
}

/** Kernel objects and page tables; the dispatcher last, so that it is the first to go. */
function makeCores(spawner: Spawner, image: SpawnRequest['image'], parts: Parts): Result<Cores> {
  const { paging } = spawner;
  const [shape] = paging.levels;
  const rootType = CAP_TYPE_NAMES[shape?.type ?? 0] as VNodeTypeName;
  const rootCn = parts.make('L1CNode', L1_CNODE_GRANULE);
  if (!rootCn.ok) return rootCn;
  const cnodes: Capref<'L2CNode'>[] = [];
  for (let i = 0; i < 4; i++) {
    const cnode = parts.make('L2CNode');
    if (!cnode.ok) return cnode;
    cnodes.push(cnode.value);
  }
  const [taskCn, pageCn, ...slotCns] = cnodes as [Capref<'L2CNode'>, Capref<'L2CNode'>];
  const rootTable = parts.make(rootType);
  if (!rootTable.ok) return rootTable;
  const frame = parts.make('Frame', DISPATCHER_FRAME_BYTES);
  if (!frame.ok) return frame;
  const err = fillVspace(spawner, rootTable.value, frame.value, image, parts);
  if (!isOk(err)) return fail(err);
  const dispatcher = parts.make('Dispatcher');
  if (!dispatcher.ok) return dispatcher;
  return succeed({
    rootCn: rootCn.value,
    taskCn,
    pageCn,
    slotCns,
    dispatcher: dispatcher.value,
    frame: frame.value,
    rootTable: rootTable.value,
  });
}

/** The well-known slots of a domain. What is in them goes with its root CNode. */
function fillCspace(sys: Sys, cores: Cores): Errval {
  const { rootCn, taskCn, pageCn, slotCns } = cores;
  const copies: readonly (readonly [Capref<CopyableTypeName>, number, number?])[] = [
    [taskCn, RootSlot.TaskCn],
    [pageCn, RootSlot.PageCn],
    ...slotCns.map((cnode, i) => [cnode, RootSlot.SlotAlloc1 + i] as const),
    [cores.dispatcher, RootSlot.TaskCn, TaskSlot.Dispatcher],
    [rootCn, RootSlot.TaskCn, TaskSlot.RootCn],
    [cores.frame, RootSlot.TaskCn, TaskSlot.DispatcherFrame],
    [cores.rootTable, RootSlot.PageCn, 0],
  ];
  for (const [source, l1Index, slot] of copies) {
    const own = rootCapref<'Null'>(l1Index);
    const cptr = capAddrOf(l1Index, slot ?? 0) as typeof own.cptr;
    const level = slot === undefined ? 1 : 2;
    const copied = capCopy(sys, { croot: rootCn.cptr, cptr, level }, source);
    if (!copied.ok) return copied.err;
  }
  return OK;
}

/** Image and dispatcher frame where programs expect them; the page tables for both. */
function fillVspace(
  { sys, source, paging }: Spawner,
  rootTable: Capref<VNodeTypeName>,
  frame: Capref<'Frame'>,
  image: Capref<MappableTypeName>,
  parts: Parts,
): Errval {
  const { imageBase, dispatcherBase, userBase, userLimit } = sys.cpu.arch;
  const space = new Vspace({ sys, paging, root: rootTable, source, from: userBase, to: userLimit });
  parts.add(() => space.clear());
  const frameBytes = DISPATCHER_FRAME_BYTES;
  const requests = [
    [imageBase, { frame: image, bytes: IMAGE_BYTES, flags: Read | Execute, name: 'image' }],
    [dispatcherBase, { frame, bytes: frameBytes, flags: Read | Write, name: 'dispatcher' }],
  ] as const;
  for (const [base, mapped] of requests) {
    const region = space.mapFixed(base, mapped);
    if (!region.ok) return region.err;
  }
  return OK;
}

/** Where it starts, and with which registers, written through a mapping of our own. */
function fillFrame({ sys, vspace }: Spawner, { frame }: Cores, name: string): Errval {
  const { cpu } = sys;
  const { arch } = cpu;
  const window = vspace.map({ frame, bytes: 4096, flags: Read | Write });
  if (!window.ok) return window.err;
  const { base } = window.value;
  const store = (at: number, value: number): boolean =>
    cpu.store32(base + at, lowWord(value)) && cpu.store32(base + at + 4, highWord(value));
  const { disabledArea, udisp } = DispatcherFrame;
  const register = (r: number): number => disabledArea.offset + 8 * r;
  const start = arch.imageBase + GATES_AT + Gate.Start * GATE_BYTES;
  let isStored = store(udisp.offset, arch.dispatcherBase);
  isStored &&= store(register(arch.upcallArgs[0]), arch.dispatcherBase);
  isStored &&= store(register(arch.pc), start);
  for (let i = 0; i < Math.min(name.length, DispatcherFrame.name.bytes); i++) {
    isStored &&= cpu.store8(base + DispatcherFrame.name.offset + i, name.charCodeAt(i));
  }
  const err = vspace.unmap(base);
  if (!isOk(err)) return err;
  return isStored ? OK : Err.LIB_ERR_PAGE_FAULT;
}

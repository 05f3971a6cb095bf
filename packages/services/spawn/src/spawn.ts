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
  panic,
  type Result,
  succeed,
} from '@barreleye/core';
import { type Capref, capLend, dispatcherSetup, rootCapref, type Sys } from '@barreleye/libos';
import { type MemorySource, type TableShape, Vspace } from '@barreleye/paging';
import {
  ARGS_PAGE_BYTES,
  type Arch,
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
  L2_CNODE_SLOTS,
  type MappableTypeName,
  PageFlag,
  RootSlot,
  TaskSlot,
  type VNodeTypeName,
} from '@barreleye/spec';
import { argsPageWords } from './args-page.ts';
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
  /** Its identity, which it gets a copy of; left out, it belongs to the spawner's domain. */
  readonly domain?: Capref<'Domain'>;
  /** What the program is told; by custom the first argument is its name. None, if left out. */
  readonly args?: readonly string[];
  /** NAME=value. */
  readonly environment?: readonly string[];
  /** Copied into its argument CNode, in this order; at most `L2_CNODE_SLOTS`. */
  readonly caps?: readonly Capref<CopyableTypeName>[];
  /** Copied into slots of its task CNode. */
  readonly taskCaps?: readonly (readonly [slot: number, cap: Capref<CopyableTypeName>])[];
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
  readonly argsFrame: Capref<'Frame'>;
  /** There is one if there are capabilities for it. */
  readonly argCn: Capref<'L2CNode'> | undefined;
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
  const args = argsPageWords(request.args ?? [], request.environment ?? []);
  if (!args.ok) return args;
  const cores = makeCores(spawner, request, parts);
  if (!cores.ok) return cores;
  let err = fillCspace(sys, cores.value, request);
  if (isOk(err)) err = store(spawner, cores.value.argsFrame, [[0, args.value]]);
  if (isOk(err)) err = store(spawner, cores.value.frame, firstState(sys.cpu.arch, request.name));
  if (!isOk(err)) return fail(err);
  const { rootCn, dispatcher } = cores.value;
  err = dispatcherSetup(sys, dispatcher, {
    cspace: rootCn,
    vspaceRoot: capAddrOf(RootSlot.PageCn, 0),
    frame: capAddrOf(RootSlot.TaskCn, TaskSlot.DispatcherFrame),
    frameVaddr: sys.cpu.arch.dispatcherBase,
    isRun: true,
    ...(request.domain && { domain: request.domain }),
  });
  return isOk(err) ? cores : fail(err);
}

/** Kernel objects and page tables; the dispatcher last, so that it is the first to go. */
function makeCores(
  spawner: Spawner,
  { image, caps = [] }: SpawnRequest,
  parts: Parts,
): Result<Cores> {
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

type Copy = readonly [cap: Capref<CopyableTypeName>, l1Index: number, slot?: number];

/**
 * The well-known slots of a domain. What is in them goes with its root CNode. All of it is lent: a
 * domain that could revoke it would take from its spawner, and from others, what is theirs.
 */
function fillCspace(sys: Sys, cores: Cores, request: SpawnRequest): Errval {
  const { caps = [], taskCaps = [], domain } = request;
  const { rootCn, taskCn, pageCn, slotCns, argCn } = cores;
  if (caps.length > L2_CNODE_SLOTS) return Err.SPAWN_ERR_ARGS;
  const copies: Copy[] = [
    [taskCn, RootSlot.TaskCn],
    [pageCn, RootSlot.PageCn],
    ...slotCns.map((cnode, i): Copy => [cnode, RootSlot.SlotAlloc1 + i]),
    [cores.dispatcher, RootSlot.TaskCn, TaskSlot.Dispatcher],
    [rootCn, RootSlot.TaskCn, TaskSlot.RootCn],
    [cores.frame, RootSlot.TaskCn, TaskSlot.DispatcherFrame],
    [cores.argsFrame, RootSlot.TaskCn, TaskSlot.ArgsPage],
    [cores.rootTable, RootSlot.PageCn, 0],
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

/** Words, and the byte of a frame where they go. */
type Piece = readonly [at: number, words: Uint32Array];

/** Where a dispatcher starts, with which registers, and what it is called. */
function firstState(arch: Arch, name: string): Piece[] {
  const { disabledArea, udisp } = DispatcherFrame;
  const address = (value: number): Uint32Array => Uint32Array.of(lowWord(value), highWord(value));
  const register = (r: number, value: number): Piece => [
    disabledArea.offset + 8 * r,
    address(value),
  ];
  const text = new Uint8Array(DispatcherFrame.name.bytes);
  for (let i = 0; i < text.length; i++) text[i] = name.charCodeAt(i) & 0x7f; // NaN is 0
  return [
    [udisp.offset, address(arch.dispatcherBase)],
    register(arch.upcallArgs[0], arch.dispatcherBase),
    register(arch.upcallArgs[1], arch.bootInfoBase),
    register(arch.pc, arch.imageBase + GATES_AT + Gate.Start * GATE_BYTES),
    [DispatcherFrame.name.offset, new Uint32Array(text.buffer)],
  ];
}

/** Store words in a frame, all within its first `ARGS_PAGE_BYTES`, through a mapping of our own. */
function store({ sys, vspace }: Spawner, frame: Capref<'Frame'>, pieces: readonly Piece[]): Errval {
  const window = vspace.map({ frame, bytes: ARGS_PAGE_BYTES, flags: Read | Write });
  if (!window.ok) return window.err;
  const { base } = window.value;
  let isStored = true;
  for (const [at, words] of pieces) {
    for (const [i, word] of words.entries()) isStored &&= sys.cpu.store32(base + at + 4 * i, word);
  }
  const err = vspace.unmap(base);
  if (!isOk(err)) return err;
  return isStored ? OK : Err.LIB_ERR_PAGE_FAULT;
}

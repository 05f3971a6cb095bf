/**
 * Capability operations of user code: typed from the capability table, so `retype` of a Frame to
 * RAM does not compile. Each is one invocation and returns the kernel's error as it is, with the
 * library's own code pushed on top.
 */

import { assert, type Errval, errPush, fail, isOk, type Result, succeed } from '@barreleye/core';
import {
  CAP_TYPE_NAMES,
  type CapTypeName,
  CNodeCmd,
  type CopyableTypeName,
  capHeadIftype,
  capHeadRights,
  capHeadType,
  Err,
  IdCmd,
  KcbCmd,
  type MappableTypeName,
  MappingCmd,
  type MappingTypeName,
  ObjType,
  packHalves,
  type RetypeTarget,
  Rights,
  VNodeCmd,
  type VNodeTypeName,
} from '@barreleye/spec';
import { type Capref, capref, holds, placeOf, type Slot } from './capref.ts';
import { answered, pushed, type Sys } from './sys.ts';
import { TASK_ROOT_CN } from './well-known.ts';

/** Which part of the source a retype uses. */
export interface RetypeRange {
  /** From the base of the source, bytes. */
  readonly offset: number;
  /** Of one object; types of fixed size ignore it. */
  readonly objectBytes: number;
  /** How many objects, in consecutive slots. */
  readonly count: number;
}

/** What the kernel says of a capability. */
export interface CapIdentity {
  readonly type: CapTypeName;
  readonly rights: number;
  /** Endpoints: what is spoken there. */
  readonly iftype: number;
  /** Base address and length in bytes; 0 for types without memory. */
  readonly base: number;
  readonly bytes: number;
  readonly owner: number;
  /** Meaning by type: spec `Identity`. */
  readonly arg0: number;
  readonly arg1: number;
}

/**
 * Make `range.count` capabilities of type `target` out of `source`, in consecutive slots.
 * @errors LIB_ERR_CAP_RETYPE over the kernel's reason (see `caps` in the kernel)
 */
export function capRetype<S extends CapTypeName, T extends RetypeTarget<S>>(
  sys: Sys,
  slot: Slot,
  source: Capref<S>,
  target: T,
  range: RetypeRange,
): Result<Capref<T>> {
  return capRetypeAny(sys, slot, source, target, range) as Result<Capref<T>>;
}

/** `capRetype` for a target type that is known only at run time (a page table of some level). */
export function capRetypeAny(
  sys: Sys,
  slot: Slot,
  source: Capref,
  target: CapTypeName,
  range: RetypeRange,
): Result<Capref> {
  sys.begin(TASK_ROOT_CN, CNodeCmd.Retype);
  beginRetype(sys, slot, source, target, range);
  const err = sys.call();
  return isOk(err) ? succeed(slot) : fail(errPush(err, Err.LIB_ERR_CAP_RETYPE));
}

/** The argument words of a retype, for a call that has begun. */
export function beginRetype(
  sys: Sys,
  slot: Slot,
  source: Capref,
  target: CapTypeName,
  range: RetypeRange,
): void {
  assert(source.level === 2, 'the source of a retype lies in an L2 CNode');
  sys.arg(source.croot);
  sys.arg(source.cptr);
  sys.arg64(range.offset);
  sys.arg(packHalves(ObjType[target], range.count));
  sys.arg64(range.objectBytes);
  sys.arg(slot.croot);
  sys.argPlace(placeOf(slot));
}

/** Put a copy of `source` into `slot`. */
export function capCopy<T extends CopyableTypeName>(
  sys: Sys,
  slot: Slot,
  source: Capref<T>,
): Result<Capref<T>> {
  const place = placeOf(slot);
  sys.begin(TASK_ROOT_CN, CNodeCmd.Copy);
  beginCopy(sys, slot, source, place.cnode, place.slot, place.cnodeLevel);
  const err = sys.call();
  return isOk(err) ? succeed(holds<T>(slot)) : fail(errPush(err, Err.LIB_ERR_CAP_COPY));
}

/**
 * Put a copy of `source` with fewer rights into `slot`.
 * @param rights to keep (`Rights` bits); what the source lacks stays away
 */
export function capMint<T extends Exclude<CopyableTypeName, 'IO'>>(
  sys: Sys,
  slot: Slot,
  source: Capref<T>,
  rights: number,
): Result<Capref<T>> {
  return mint(sys, slot, source, rights, 0, 0);
}

/**
 * Put a copy of `source` into `slot` for somebody else to use: it cannot be revoked through that.
 * @errors LIB_ERR_CAP_IDENTIFY and LIB_ERR_CAP_COPY over the kernel's reason
 */
export function capLend<T extends CopyableTypeName>(
  sys: Sys,
  slot: Slot,
  source: Capref<T>,
): Result<Capref<T>> {
  const held = capIdentify(sys, source);
  if (!held.ok) return held;
  const { type, arg0, arg1 } = held.value; // a mint of ports must say which of them
  const ports = type === 'IO' ? ([arg0, arg1] as const) : ([0, 0] as const);
  return mint(sys, slot, source, Rights.Lent, ...ports);
}

/** Where the kernel puts what is sent to an endpoint. */
export interface EndpointBuffer {
  /** Offset of the ring in the dispatcher frame, bytes. */
  readonly offset: number;
  /** Length of the ring, words of messages; below 2^16. */
  readonly ringWords: number;
  /** A number that says what is spoken there, below 2^16. */
  readonly iftype?: number;
}

/** Put a copy of a new endpoint, aimed at a buffer in the frame of its dispatcher, into `slot`. */
export function capMintEndpoint(
  sys: Sys,
  slot: Slot,
  source: Capref<'EndPointLMP'>,
  buffer: EndpointBuffer,
  rights: number = Rights.All,
): Result<Capref<'EndPointLMP'>> {
  const { offset, ringWords, iftype = 0 } = buffer;
  return mint(sys, slot, source, rights, offset, packHalves(ringWords, iftype));
}

/** Put a copy of a UMP endpoint that says what is spoken there into `slot`. */
export function capMintUmp(
  sys: Sys,
  slot: Slot,
  source: Capref<'EndPointUMP'>,
  iftype: number,
  rights: number = Rights.All,
): Result<Capref<'EndPointUMP'>> {
  return mint(sys, slot, source, rights, iftype, 0);
}

/** Put a capability of the ports `first` to `last`, part of those of `source`, into `slot`. */
export function capMintPorts(
  sys: Sys,
  slot: Slot,
  source: Capref<'IO'>,
  first: number,
  last: number,
  rights: number = Rights.All,
): Result<Capref<'IO'>> {
  return mint(sys, slot, source, rights, first, last);
}

/** Delete the capability in a slot of the domain's own CSpace. The slot is empty afterwards. */
export function capDelete(sys: Sys, cap: Capref): Errval {
  sys.begin(TASK_ROOT_CN, CNodeCmd.Delete);
  sys.arg(cap.cptr);
  sys.arg(cap.level);
  return pushed(sys.call(), Err.LIB_ERR_CAP_DELETE);
}

/** Delete all copies and descendants of a capability, but not itself. */
export function capRevoke(sys: Sys, cap: Capref): Errval {
  sys.begin(TASK_ROOT_CN, CNodeCmd.Revoke);
  sys.arg(cap.cptr);
  sys.arg(cap.level);
  return pushed(sys.call(), Err.LIB_ERR_CAP_REVOKE);
}

/** What a slot of the domain's own CSpace holds. */
export function capIdentify(sys: Sys, cap: Capref): Result<CapIdentity> {
  sys.begin(TASK_ROOT_CN, CNodeCmd.Identify);
  sys.arg(cap.cptr);
  sys.arg(cap.level);
  const err = sys.call();
  return isOk(err) ? succeed(readIdentity(sys)) : fail(errPush(err, Err.LIB_ERR_CAP_IDENTIFY));
}

/** The kernel's answer to an Identify, of a CNode or of the Kernel capability. */
export function readIdentity(sys: Sys): CapIdentity {
  const { value } = sys;
  return {
    type: CAP_TYPE_NAMES[capHeadType(value)] ?? 'Null',
    rights: capHeadRights(value),
    iftype: capHeadIftype(value),
    base: sys.message64(0),
    bytes: sys.message64(2),
    owner: sys.message(4),
    arg0: sys.message(5),
    arg1: sys.message(6),
  };
}

/** State of a capability in the domain's own CSpace: `CteFlag` bits, and 32 for a foreign one. */
export function capState(sys: Sys, cap: Capref): Result<number> {
  sys.begin(TASK_ROOT_CN, CNodeCmd.GetState);
  sys.arg(cap.cptr);
  sys.arg(cap.level);
  return answered(sys, Err.LIB_ERR_CAP_IDENTIFY);
}

/** Make an identifier that nobody else has. */
export function capCreateId(sys: Sys, slot: Slot): Result<Capref<'ID'>> {
  sys.begin(TASK_ROOT_CN, CNodeCmd.Create);
  sys.arg(ObjType.ID);
  sys.argPlace(placeOf(slot));
  const err = sys.call();
  return isOk(err) ? succeed(holds<'ID'>(slot)) : fail(errPush(err, Err.LIB_ERR_CAP_CREATE));
}

/** The number that an identifier stands for: core * 2^32 + number on that core. */
export function idIdentify(sys: Sys, id: Capref<'ID'>): Result<number> {
  sys.begin(id, IdCmd.Identify);
  return answered(sys, Err.LIB_ERR_CAP_IDENTIFY);
}

/** Physical address of a kernel control block. */
export function kcbIdentify(sys: Sys, kcb: Capref<'KernelControlBlock'>): Result<number> {
  sys.begin(kcb, KcbCmd.Identify);
  return answered(sys, Err.LIB_ERR_CAP_IDENTIFY);
}

/** Bytes of an L1 CNode, 64 for each slot. */
export function cnodeSize(sys: Sys, cnode: Capref<'L1CNode'>): Result<number> {
  sys.begin(cnode, CNodeCmd.GetSize);
  return answered(sys, Err.LIB_ERR_CAP_IDENTIFY);
}

/**
 * Give the domain's own CSpace a larger root CNode. All references stay valid.
 * @param newRoot empty; afterwards its slot still names it
 * @param returnSlot gets the old root, to be deleted
 */
export function capResize(sys: Sys, newRoot: Capref<'L1CNode'>, returnSlot: Slot): Errval {
  const place = placeOf(returnSlot);
  sys.begin(TASK_ROOT_CN, CNodeCmd.Resize);
  sys.arg(newRoot.cptr);
  sys.arg(place.cnode);
  sys.arg(place.slot);
  return pushed(sys.call(), Err.LIB_ERR_CAP_RESIZE);
}

/** How a capability is to appear in a page table. */
export interface MapArgs {
  /** First entry of the table. */
  readonly entry: number;
  /** How many entries, each the size of a page of that level. */
  readonly count: number;
  /** `PageFlag` bits; ignored for tables. */
  readonly flags: number;
  /** From the base of the capability, bytes. */
  readonly offset: number;
}

/** Map `source` into the page table `table`; the mapping capability goes to `slot`. */
export function vnodeMap(
  sys: Sys,
  slot: Slot,
  table: Capref<VNodeTypeName>,
  source: Capref<MappableTypeName>,
  args: MapArgs,
): Result<Capref<MappingTypeName>> {
  sys.begin(table, VNodeCmd.Map);
  sys.arg(packHalves(args.entry, args.count));
  sys.arg(source.croot);
  sys.arg(source.cptr);
  sys.arg(packHalves(args.flags, source.level));
  sys.arg64(args.offset);
  sys.arg(slot.croot);
  sys.argPlace(placeOf(slot));
  const err = sys.call();
  if (!isOk(err)) return fail(errPush(err, Err.LIB_ERR_VNODE_MAP));
  return succeed(holds<MappingTypeName>(slot));
}

/** Clear the entries of a mapping of `table`; the mapping capability is deleted with them. */
export function vnodeUnmap(
  sys: Sys,
  table: Capref<VNodeTypeName>,
  mapping: Capref<MappingTypeName>,
): Errval {
  sys.begin(table, VNodeCmd.Unmap);
  sys.arg(mapping.cptr);
  sys.arg(mapping.level);
  return pushed(sys.call(), Err.LIB_ERR_VNODE_UNMAP);
}

/**
 * Change what pages of a mapping allow: `count` entries from the `first`-th of the mapping get the
 * `PageFlag` bits `flags`. The mapping keeps the rights with which it was made.
 * @errors LIB_ERR_PMAP_MODIFY_FLAGS over the kernel's reason
 */
export function mappingModify(
  sys: Sys,
  mapping: Capref<MappingTypeName>,
  first: number,
  count: number,
  flags: number,
): Errval {
  sys.begin(mapping, MappingCmd.Modify);
  sys.arg(first);
  sys.arg(count);
  sys.arg(flags);
  return pushed(sys.call(), Err.LIB_ERR_PMAP_MODIFY_FLAGS);
}

/** The slot `count` places behind `slot` in the same CNode: where a retype put its n-th object. */
export function nextSlot<T extends CapTypeName>(slot: Capref<T>, count: number): Capref<T> {
  const place = placeOf(slot);
  return capref<T>(place.cnode >>> 8, place.slot + count);
}

function mint<T extends CapTypeName>(
  sys: Sys,
  slot: Slot,
  source: Capref<T>,
  rights: number,
  param1: number,
  param2: number,
): Result<Capref<T>> {
  const place = placeOf(slot);
  sys.begin(TASK_ROOT_CN, CNodeCmd.Mint);
  beginCopy(sys, slot, source, place.cnode, place.slot, place.cnodeLevel);
  sys.arg(rights);
  sys.arg(param1);
  sys.arg(param2);
  const err = sys.call();
  return isOk(err) ? succeed(holds<T>(slot)) : fail(errPush(err, Err.LIB_ERR_CAP_MINT));
}

function beginCopy(
  sys: Sys,
  slot: Slot,
  source: Capref,
  cnode: number,
  index: number,
  cnodeLevel: number,
): void {
  sys.arg(slot.croot);
  sys.arg(cnode);
  sys.arg(index);
  sys.arg(source.croot);
  sys.arg(source.cptr);
  sys.arg(cnodeLevel | (source.level << 4));
}

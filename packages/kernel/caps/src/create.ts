/**
 * Capabilities that are not derived from another one: what trusted code makes at boot, mappings
 * (which only a map operation makes, I3), and identifiers.
 */

import {
  asPaddr,
  assert,
  BASE_PAGE_SIZE,
  type CoreId,
  type Errval,
  OK,
  type Paddr,
} from '@barreleye/core';
import {
  CAP_TYPE_COUNT,
  CTE_BYTES,
  Cte,
  CteFlag,
  capTypeInfo,
  Err,
  Kcb,
  ObjType,
  Rights,
} from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { locateEmptySlots } from './cspace.ts';
import { adoptRelations, enter, startCap } from './cte.ts';
import { isDying, isForeign } from './guard.ts';
import { bytesOf, MAX_MAPPED_PAGES } from './key.ts';
import { errorOf, isError, type Slot, slotOf } from './slot.ts';

/** A capability made by trusted code. What is left out is zero unless it says otherwise. */
export interface CapSpec {
  readonly base?: Paddr;
  /** Ignored where the type fixes it. */
  readonly bytes?: number;
  readonly arg0?: number;
  readonly arg1?: number;
  readonly iftype?: number;
  /** All, if left out. */
  readonly rights?: number;
  /** This core, if left out. */
  readonly owner?: CoreId;
  /** Zero the memory first. */
  readonly isZeroed?: boolean;
}

/** A run of entries of one page table that map one object. */
export interface MappingSpec {
  /** Any capability of what is mapped; the mapping gets its rights. */
  readonly object: Slot;
  /** Any capability of the page table. */
  readonly table: Slot;
  /** First entry, and number of entries. */
  readonly first: number;
  readonly count: number;
}

/** Identifiers count from 1 to below this. */
const ID_LIMIT = 0xffff_ffff;

/**
 * Put a capability into the empty slot `slot` and into the mapping database (T46): for boot and for
 * the monitor, which answer for its truth. Panics when the slot is full or `spec` breaks I10.
 */
export function createCap(caps: Caps, slot: Slot, type: ObjType, spec: CapSpec = {}): void {
  const { mem } = caps;
  const info = capTypeInfo(type);
  const { base = asPaddr(0), owner = caps.coreId } = spec;
  const bytes = info.bytes !== 0 ? info.bytes : (spec.bytes ?? 0);
  assert(type !== ObjType.Null && !info.mapping, 'a type that can be made like this');
  assert(slot % CTE_BYTES === 0 && mem.contains(slot, CTE_BYTES), 'a slot lies in memory');
  assert(base % info.granule === 0, 'the base is a multiple of the granule (I10)');
  assert(bytes % info.granule === 0, 'the size is a multiple of the granule (I10)');
  assert(info.identity !== 'region' || bytes > 0, 'a region has a size');

  startCap(caps, slot, type, spec.rights ?? Rights.All);
  Cte.owner.set(mem, slot, owner);
  if (info.local && owner !== caps.coreId) Cte.flags.set(mem, slot, CteFlag.RemoteCopies);
  Cte.iftype.set(mem, slot, spec.iftype ?? 0);
  Cte.base.set(mem, slot, base);
  Cte.bytes.set(mem, slot, bytes);
  Cte.arg0.set(mem, slot, spec.arg0 ?? 0);
  Cte.arg1.set(mem, slot, spec.arg1 ?? 0);
  if (spec.isZeroed) mem.zero(base, bytes);
  enter(caps, slot);
  adoptRelations(caps, slot);
  if (info.vnode && spec.isZeroed) caps.hooks.vnodeCreated(type, base);
}

/**
 * Record in the empty slot `slot` that entries of a page table map an object. They are cleared when
 * the last capability on this core of the object, the table or the mapping dies. The caller has
 * checked that both objects are available (`checkAvailable`) and that the table takes the object.
 */
export function createMapping(caps: Caps, slot: Slot, spec: MappingSpec): void {
  const { mem } = caps;
  const { object, table, first, count } = spec;
  const type = Cte.type.get(mem, object);
  const tableType = Cte.type.get(mem, table);
  const pages = Math.floor(bytesOf(mem, object, type) / BASE_PAGE_SIZE);
  assert(capTypeInfo(type).mappable, 'only some types can be mapped');
  assert(capTypeInfo(tableType).vnode, 'mappings are made in page tables');
  assert(!isDying(caps, object) && !isDying(caps, table), 'the dying take no mappings');
  assert(!isForeign(caps, table), 'page tables of other cores are not ours to change');
  assert(count > 0 && count <= 0xffff && first >= 0, 'a mapping is a run of entries');
  assert(pages <= MAX_MAPPED_PAGES, 'the extent of a mapped object fits its field');

  startCap(caps, slot, capTypeInfo(type).mappingType, Cte.rights.get(mem, object));
  Cte.base.set(mem, slot, Cte.base.get(mem, object));
  Cte.tableHead.set(mem, slot, pages);
  Cte.iftype.set(mem, slot, tableType);
  Cte.bytes.set(mem, slot, Cte.base.get(mem, table));
  Cte.arg0.set(mem, slot, first);
  Cte.arg1.set(mem, slot, count);
  enter(caps, slot);
}

/**
 * Make a new ID capability in slot `slotIndex` of the CNode capability in `cnode`.
 * @errors SYS_ERR_ILLEGAL_DEST_TYPE no such type; SYS_ERR_TYPE_NOT_CREATABLE only identifiers come
 *   from nothing; those of `locateEmptySlots`, with SYS_ERR_SLOTS_IN_USE for a full slot;
 *   SYS_ERR_ID_SPACE_EXHAUSTED
 * @source Barrelfish kernel/syscall.c `sys_create`, checks in its order
 */
export function createId(caps: Caps, type: ObjType, cnode: Slot, slotIndex: number): Errval {
  const { mem } = caps;
  if (type === ObjType.Null || type >= CAP_TYPE_COUNT) return Err.SYS_ERR_ILLEGAL_DEST_TYPE;
  const found = locateEmptySlots(caps, cnode, slotIndex, 1, type, Err.SYS_ERR_SLOTS_IN_USE);
  if (isError(found)) return errorOf(found);
  if (type !== ObjType.ID) return Err.SYS_ERR_TYPE_NOT_CREATABLE;
  if (!hasIds(caps, Kcb.nextId, 1)) return Err.SYS_ERR_ID_SPACE_EXHAUSTED;

  const slot = slotOf(found);
  startCap(caps, slot, type, Rights.All);
  Cte.arg0.set(mem, slot, caps.coreId);
  Cte.arg1.set(mem, slot, takeId(caps, Kcb.nextId));
  enter(caps, slot);
  return OK;
}

/** A counter of identifiers in the KCB: the next to hand out, 0 before the first. */
type IdCounter = typeof Kcb.nextId | typeof Kcb.nextDomainId;

/** Whether `count` more identifiers can be taken from `counter`. */
export function hasIds(caps: Caps, counter: IdCounter, count: number): boolean {
  return nextId(caps, counter) + count <= ID_LIMIT;
}

/** Take one identifier. */
export function takeId(caps: Caps, counter: IdCounter): number {
  const id = nextId(caps, counter);
  assert(id < ID_LIMIT, 'somebody has asked whether there are identifiers left');
  counter.set(caps.mem, caps.kcb, id + 1);
  return id;
}

function nextId(caps: Caps, counter: IdCounter): number {
  return counter.get(caps.mem, caps.kcb) || 1;
}

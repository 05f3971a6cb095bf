/**
 * Mapping: installing capabilities in page tables. Decode checks everything; apply writes entries
 * and the mapping capability and cannot fail.
 * Source of the order of checks: Barrelfish kernel/syscall.c `sys_map`,
 * kernel/arch/x86_64/page_mappings_arch.c.
 */

import {
  applyDelete,
  checkAvailable,
  createMapping,
  errorOf,
  isError,
  locateEmptySlots,
  lookupDestination,
  lookupSlot,
  lookupSource,
  revoke,
  type Slot,
  slotOf,
} from '@barreleye/caps';
import {
  asPaddr,
  BASE_PAGE_BITS,
  type Errval,
  errPush,
  isAligned,
  isOk,
  OK,
  type Paddr,
} from '@barreleye/core';
import { Cte, capTypeInfo, Dcb, Err, PageFlag, Rights, type TableLevel } from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import type { Kernel } from './kernel.ts';

/** Rights that are also `PageFlag` bits of the same value. */
const ACCESS_RIGHTS = Rights.Read | Rights.Write | Rights.Execute;

/** A checked map operation. */
interface MapPlan {
  readonly table: Slot;
  readonly source: Slot;
  readonly mapping: Slot;
  readonly level: number;
  readonly first: number;
  readonly count: number;
  /** Physical address of the first page or table, and the distance to the next. */
  readonly base: Paddr;
  readonly stride: number;
  readonly isTable: boolean;
  readonly flags: number;
}

/**
 * `VNodeCmd.Map`.
 * @errors SYS_ERR_DEST_CAP_RIGHTS; those of `lookupSource`; SYS_ERR_CAP_LOCKED the source is busy;
 *   those of `lookupDestination` and `locateEmptySlots` for the mapping; those of `decodeEntries`
 */
export function mapIntoVnode(k: Kernel, table: Slot): Errval {
  const { args, mem, caps } = k;
  if ((Cte.rights.get(mem, table) & Rights.Write) === 0) return Err.SYS_ERR_DEST_CAP_RIGHTS;
  const root = Dcb.cspace.at(currentDcb(k));
  const sourceLevel = ((args[3] ?? 0) >>> 16) & 0xff;
  const source = lookupSource(caps, root, args[1] ?? 0, args[2] ?? 0, sourceLevel);
  if (isError(source)) return errorOf(source);
  const available = checkAvailable(caps, slotOf(source));
  if (!isOk(available)) return available;
  const place = args[8] ?? 0;
  const dest = lookupDestination(caps, root, args[6] ?? 0, args[7] ?? 0, place >>> 24);
  if (isError(dest)) return errorOf(dest);
  const { mappingType } = capTypeInfo(Cte.type.get(mem, slotOf(source)));
  const slotIndex = place & 0xff_ffff;
  const mapping = locateEmptySlots(caps, slotOf(dest), slotIndex, 1, mappingType);
  if (isError(mapping)) return errorOf(mapping);
  const plan = decodeEntries(k, table, slotOf(source), slotOf(mapping));
  if (typeof plan === 'number') return plan;
  applyMap(k, plan);
  return OK;
}

/**
 * `VNodeCmd.Unmap`: undo a mapping of this very table (T7). The mapping capability goes too, with
 * all its copies: one that stayed could later clear what others have put into its entries (T10).
 * @errors e, then SYS_ERR_SOURCE_CAP_LOOKUP; SYS_ERR_DEST_CAP_RIGHTS; SYS_ERR_VM_NOT_MAPPED no
 *   mapping, or one of another table; those of `revoke`
 */
export function unmapFromVnode(k: Kernel, table: Slot): Errval {
  const { args, mem, caps } = k;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(caps, root, args[0] ?? 0, args[1] ?? 0, Rights.Read);
  if (isError(found)) return errPush(errorOf(found), Err.SYS_ERR_SOURCE_CAP_LOOKUP);
  if ((Cte.rights.get(mem, table) & Rights.Write) === 0) return Err.SYS_ERR_DEST_CAP_RIGHTS;
  const mapping = slotOf(found);
  const isMapping = capTypeInfo(Cte.type.get(mem, mapping)).mapping;
  if (!isMapping || Cte.bytes.get(mem, mapping) !== Cte.base.get(mem, table)) {
    return Err.SYS_ERR_VM_NOT_MAPPED;
  }
  const err = revoke(caps, mapping);
  if (isOk(err)) applyDelete(caps, mapping);
  return err;
}

/**
 * Whether `source` may be put into these entries, and what exactly would be written.
 * @errors SYS_ERR_VNODE_TYPE no table of this core's architecture; SYS_ERR_VNODE_SLOT_INVALID;
 *   SYS_ERR_VM_MAP_SIZE; SYS_ERR_VNODE_SLOT_RESERVED; those of `checkTable` or `checkPages`;
 *   SYS_ERR_VNODE_SLOT_INUSE an entry is taken (T10)
 */
function decodeEntries(k: Kernel, table: Slot, source: Slot, mapping: Slot): MapPlan | Errval {
  const { args, hal, mem } = k;
  const level = hal.paging.levelOf(Cte.type.get(mem, table));
  const shape = hal.paging.levels[level];
  if (shape === undefined) return Err.SYS_ERR_VNODE_TYPE;
  const first = (args[0] ?? 0) & 0xffff;
  const count = (args[0] ?? 0) >>> 16;
  if (first >= shape.entryCount) return Err.SYS_ERR_VNODE_SLOT_INVALID;
  if (count === 0 || count > shape.entryCount - first) return Err.SYS_ERR_VM_MAP_SIZE;
  if (first + count > shape.reservedFrom) return Err.SYS_ERR_VNODE_SLOT_RESERVED;
  const isTable = Cte.type.get(mem, source) === shape.childType;
  const flags = (args[3] ?? 0) & 0xffff;
  const checked = isTable ? checkTable(count) : checkPages(k, shape, source, count, flags);
  if (!isOk(checked)) return checked;
  const base = Cte.base.get(mem, table);
  for (let i = first; i < first + count; i++) {
    if (hal.paging.isPresent(mem, level, base, i)) return Err.SYS_ERR_VNODE_SLOT_INUSE;
  }
  const offset = isTable ? 0 : mapOffset(k);
  return {
    table,
    source,
    mapping,
    level,
    first,
    count,
    base: asPaddr(Cte.base.get(mem, source) + offset),
    stride: isTable ? shape.tableBytes : 2 ** shape.spanBits,
    isTable,
    flags,
  };
}

/** A table goes into one entry. @errors SYS_ERR_VM_MAP_SIZE */
function checkTable(count: number): Errval {
  return count === 1 ? OK : Err.SYS_ERR_VM_MAP_SIZE;
}

/**
 * Pages must lie inside their frame (T5), be aligned, and allow no more than the capability (T9).
 * No format can say "write but not read", so every access takes the read right as well.
 * @errors SYS_ERR_WRONG_MAPPING; SYS_ERR_VM_FRAME_TOO_SMALL; SYS_ERR_VM_MAP_OFFSET;
 *   SYS_ERR_FRAME_OFFSET_INVALID; SYS_ERR_VM_FRAME_UNALIGNED; SYS_ERR_VM_MAP_RIGHTS
 */
function checkPages(
  k: Kernel,
  shape: TableLevel,
  source: Slot,
  count: number,
  flags: number,
): Errval {
  const { mem } = k;
  const info = capTypeInfo(Cte.type.get(mem, source));
  if (!shape.mapsPages || !info.mappable || info.vnode) return Err.SYS_ERR_WRONG_MAPPING;
  const pageBytes = 2 ** shape.spanBits;
  const offset = mapOffset(k);
  const bytes = Cte.bytes.get(mem, source);
  if (bytes < pageBytes) return Err.SYS_ERR_VM_FRAME_TOO_SMALL;
  if (!isAligned(offset, BASE_PAGE_BITS)) return Err.SYS_ERR_VM_MAP_OFFSET;
  if (count > (bytes - offset) / pageBytes) return Err.SYS_ERR_FRAME_OFFSET_INVALID;
  const first = Cte.base.get(mem, source) + offset;
  if (!isAligned(first, shape.spanBits)) return Err.SYS_ERR_VM_FRAME_UNALIGNED;
  const accesses = flags & ~PageFlag.NoCache;
  const needed = accesses === 0 ? 0 : accesses | Rights.Read;
  const allowed = Cte.rights.get(mem, source) & ACCESS_RIGHTS;
  return (needed & ~allowed) === 0 ? OK : Err.SYS_ERR_VM_MAP_RIGHTS;
}

/** The offset argument. Where it is not an exact number it is far beyond every frame. */
function mapOffset(k: Kernel): number {
  const [, , , , low = 0, high = 0] = k.args;
  return high * 2 ** 32 + low;
}

function applyMap(k: Kernel, plan: MapPlan): void {
  const { hal, mem } = k;
  const { paging } = hal;
  const table = Cte.base.get(mem, plan.table);
  const { level, first, count } = plan;
  for (let i = 0; i < count; i++) {
    const at = asPaddr(plan.base + i * plan.stride);
    if (plan.isTable) paging.writeTable(mem, level, table, first + i, at);
    else paging.writePage(mem, level, table, first + i, at, plan.flags);
  }
  createMapping(k.caps, plan.mapping, { object: plan.source, table: plan.table, first, count });
}

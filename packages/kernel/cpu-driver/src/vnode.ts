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
  decodeDelete,
  errorOf,
  isError,
  locateEmptySlots,
  lookupDestination,
  lookupSlot,
  lookupSource,
  MAX_MAPPED_PAGES,
  type Slot,
  slotOf,
} from '@barreleye/caps';
import {
  asPaddr,
  BASE_PAGE_BITS,
  BASE_PAGE_SIZE,
  type Errval,
  errPush,
  isAligned,
  isOk,
  OK,
} from '@barreleye/core';
import {
  Cte,
  capTypeInfo,
  Dcb,
  Err,
  highHalf,
  lowHalf,
  placeLevel,
  placeSlot,
  Rights,
  type TableLevel,
} from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import type { MapPlan } from './map-plan.ts';
import { writePages } from './page-entries.ts';
import { checkAccess, checkEntries, formatOf } from './table-format.ts';

/**
 * `VNodeCmd.Map`.
 * @errors SYS_ERR_DEST_CAP_RIGHTS; those of `lookupSource`; SYS_ERR_CAP_LOCKED the source is busy;
 *   those of `lookupDestination` and `locateEmptySlots` for the mapping; those of `decodeEntries`
 */
export function mapIntoVnode(k: Kernel, table: Slot): Errval {
  const { args, mem, caps } = k;
  if ((Cte.rights.get(mem, table) & Rights.Write) === 0) return Err.SYS_ERR_DEST_CAP_RIGHTS;
  const root = Dcb.cspace.at(currentDcb(k));
  const sourceLevel = highHalf(args[3] ?? 0) & 0xff;
  const source = lookupSource(caps, root, args[1] ?? 0, args[2] ?? 0, sourceLevel);
  if (isError(source)) return errorOf(source);
  const available = checkAvailable(caps, slotOf(source));
  if (!isOk(available)) return available;
  const place = args[8] ?? 0;
  const dest = lookupDestination(caps, root, args[6] ?? 0, args[7] ?? 0, placeLevel(place));
  if (isError(dest)) return errorOf(dest);
  const { mappingType } = capTypeInfo(Cte.type.get(mem, slotOf(source)));
  const slotIndex = placeSlot(place);
  const mapping = locateEmptySlots(caps, slotOf(dest), slotIndex, 1, mappingType);
  if (isError(mapping)) return errorOf(mapping);
  const { mapPlan } = k;
  mapPlan.table = table;
  mapPlan.object = slotOf(source);
  mapPlan.mapping = slotOf(mapping);
  const checked = decodeEntries(k, mapPlan);
  if (isOk(checked)) applyMap(k, mapPlan);
  return checked;
}

/**
 * `VNodeCmd.Unmap`: undo a mapping of this very table (T7). The mapping capability goes too, and
 * there is only one: if it stayed, it could later clear what others have put into its entries
 * (T10).
 * @errors e, then SYS_ERR_SOURCE_CAP_LOOKUP; SYS_ERR_DEST_CAP_RIGHTS; SYS_ERR_VM_NOT_MAPPED no
 *   mapping, or one of another table; those of `decodeDelete`
 */
export function unmapFromVnode(k: Kernel, table: Slot): Errval {
  const { args, mem, caps } = k;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(caps, root, args[0] ?? 0, args[1] ?? 0, Rights.Read | Rights.Write);
  if (isError(found)) return errPush(errorOf(found), Err.SYS_ERR_SOURCE_CAP_LOOKUP);
  if ((Cte.rights.get(mem, table) & Rights.Write) === 0) return Err.SYS_ERR_DEST_CAP_RIGHTS;
  const mapping = slotOf(found);
  const isMapping = capTypeInfo(Cte.type.get(mem, mapping)).mapping;
  if (!isMapping || Cte.bytes.get(mem, mapping) !== Cte.base.get(mem, table)) {
    return Err.SYS_ERR_VM_NOT_MAPPED;
  }
  const err = decodeDelete(caps, mapping);
  if (isOk(err)) applyDelete(caps, mapping);
  return err;
}

/**
 * Whether the object of `plan` may be put into the entries that the arguments name; fills in what
 * exactly would be written.
 * @errors SYS_ERR_VNODE_TYPE a table of a format that this kernel does not know;
 *   SYS_ERR_VNODE_SLOT_INVALID; SYS_ERR_VM_MAP_SIZE; SYS_ERR_VNODE_SLOT_RESERVED; those of
 *   `checkTable` or `checkPages`; SYS_ERR_VM_FRAME_OUT_OF_REACH beyond the addresses of the format;
 *   SYS_ERR_VNODE_SLOT_INUSE an entry is taken (T10)
 */
function decodeEntries(k: Kernel, plan: MapPlan): Errval {
  const { args, mem } = k;
  const { table, object } = plan;
  const type = Cte.type.get(mem, table);
  const format = formatOf(k, type);
  if (format === undefined) return Err.SYS_ERR_VNODE_TYPE;
  const level = format.levelOf(type);
  const shape = format.levels[level] as TableLevel;
  const first = lowHalf(args[0] ?? 0);
  const count = highHalf(args[0] ?? 0);
  const inTable = checkEntries(shape, first, count);
  if (!isOk(inTable)) return inTable;
  const isTable = Cte.type.get(mem, object) === shape.childType;
  const flags = lowHalf(args[3] ?? 0);
  const checked = isTable ? checkTable(count) : checkPages(k, shape, object, count, flags);
  if (!isOk(checked)) return checked;
  const objectBase = asPaddr(Cte.base.get(mem, object) + (isTable ? 0 : mapOffset(k)));
  const bytes = isTable ? shape.tableBytes : count * 2 ** shape.spanBits;
  if (objectBase + bytes > 2 ** format.paddrBits) return Err.SYS_ERR_VM_FRAME_OUT_OF_REACH;
  const tableBase = Cte.base.get(mem, table);
  for (let i = first; i < first + count; i++) {
    if (format.isPresent(mem, level, tableBase, i)) return Err.SYS_ERR_VNODE_SLOT_INUSE;
  }
  plan.first = first;
  plan.count = count;
  plan.format = format;
  plan.level = level;
  plan.tableBase = tableBase;
  plan.base = objectBase;
  plan.isTable = isTable;
  plan.flags = flags;
  return OK;
}

/** A table goes into one entry. @errors SYS_ERR_VM_MAP_SIZE */
function checkTable(count: number): Errval {
  return count === 1 ? OK : Err.SYS_ERR_VM_MAP_SIZE;
}

/**
 * Pages must lie inside their frame (T5), be aligned, and allow no more than the capability (T9).
 * What a mapping may allow is decided by the rights it is made with (I46): it cannot be copied or
 * minted, and page-flags.ts goes by its rights.
 * @errors SYS_ERR_WRONG_MAPPING; SYS_ERR_VM_FRAME_TOO_SMALL; SYS_ERR_VM_MAP_OFFSET;
 *   SYS_ERR_FRAME_OFFSET_INVALID; SYS_ERR_VM_FRAME_OUT_OF_REACH more than a mapping can stand for;
 *   SYS_ERR_VM_FRAME_UNALIGNED; SYS_ERR_VM_MAP_RIGHTS
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
  if (bytes / BASE_PAGE_SIZE > MAX_MAPPED_PAGES) return Err.SYS_ERR_VM_FRAME_OUT_OF_REACH;
  const first = Cte.base.get(mem, source) + offset;
  if (!isAligned(first, shape.spanBits)) return Err.SYS_ERR_VM_FRAME_UNALIGNED;
  return checkAccess(flags, Cte.rights.get(mem, source));
}

/** The offset argument. Where it is not an exact number it is far beyond every frame. */
function mapOffset(k: Kernel): number {
  const [, , , , low = 0, high = 0] = k.args;
  return high * 2 ** 32 + low;
}

function applyMap(k: Kernel, plan: MapPlan): void {
  const { mem } = k;
  const { format, level, tableBase, first, count, base, flags } = plan;
  if (plan.isTable) format.writeTable(mem, level, tableBase, first, base);
  else writePages(mem, plan, first, count, base, flags);
  createMapping(k.caps, plan.mapping, plan);
}

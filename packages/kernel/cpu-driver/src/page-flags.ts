/**
 * Changing what pages allow. A mapping capability covers its own entries and no others (T8), and
 * keeps the rights with which its object was mapped, so nobody gains an access by asking later.
 */

import { firstMappingIn, NO_SLOT, nextMappingIn, type Slot } from '@barreleye/caps';
import { asPaddr, type Errval, isOk, OK } from '@barreleye/core';
import { Cte, capTypeInfo, Err, Rights, type TableLevel } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';
import { changePages } from './page-entries.ts';
import { checkAccess, checkEntries, formatOf } from './table-format.ts';

/**
 * `MappingCmd.Modify`: entries `args[0]` to `args[0] + args[1] - 1` of the mapping, counted from
 * its own first one, get the `PageFlag` bits `args[2]`.
 * @errors SYS_ERR_WRONG_MAPPING a table is mapped, not pages; SYS_ERR_VNODE_SLOT_INVALID;
 *   SYS_ERR_VM_MAP_SIZE none, or beyond the mapping; SYS_ERR_VM_MAP_RIGHTS
 */
export function modifyMapping(k: Kernel, mapping: Slot): Errval {
  const { args, mem } = k;
  const [offset = 0, count = 0, flags = 0] = args;
  const mapped = Cte.arg1.get(mem, mapping);
  if (mapsTable(k, mapping)) return Err.SYS_ERR_WRONG_MAPPING;
  if (offset >= mapped) return Err.SYS_ERR_VNODE_SLOT_INVALID;
  if (count === 0 || count > mapped - offset) return Err.SYS_ERR_VM_MAP_SIZE;
  const allowed = checkAccess(flags, Cte.rights.get(mem, mapping));
  if (!isOk(allowed)) return allowed;
  const first = Cte.arg0.get(mem, mapping) + offset;
  writeFlags(k, mapping, first, first + count, flags);
  k.hal.invalidateAll();
  return OK;
}

/**
 * `VNodeCmd.ModifyFlags`: all pages in entries `args[0]` to `args[0] + args[1] - 1` of the table
 * get the `PageFlag` bits `args[2]`; entries that map nothing stay so.
 * @errors SYS_ERR_DEST_CAP_RIGHTS; SYS_ERR_VNODE_TYPE; those of `checkEntries`;
 *   SYS_ERR_WRONG_MAPPING one of them is a table; SYS_ERR_VM_MAP_RIGHTS one of the pages was mapped
 *   with less
 */
export function modifyTable(k: Kernel, table: Slot): Errval {
  const { args, caps, mem } = k;
  const [first = 0, count = 0, flags = 0] = args;
  if ((Cte.rights.get(mem, table) & Rights.Write) === 0) return Err.SYS_ERR_DEST_CAP_RIGHTS;
  const type = Cte.type.get(mem, table);
  const format = formatOf(k, type);
  if (format === undefined) return Err.SYS_ERR_VNODE_TYPE;
  const shape = format.levels[format.levelOf(type)] as TableLevel;
  const inTable = checkEntries(shape, first, count);
  if (!isOk(inTable)) return inTable;
  const end = first + count;
  for (let m = firstMappingIn(caps, table); m !== NO_SLOT; m = nextMappingIn(caps, m)) {
    if (!touches(k, m, first, end)) continue;
    if (mapsTable(k, m)) return Err.SYS_ERR_WRONG_MAPPING;
    const allowed = checkAccess(flags, Cte.rights.get(mem, m));
    if (!isOk(allowed)) return allowed;
  }
  for (let m = firstMappingIn(caps, table); m !== NO_SLOT; m = nextMappingIn(caps, m)) {
    if (touches(k, m, first, end)) writeFlags(k, m, first, end, flags);
  }
  k.hal.invalidateAll();
  return OK;
}

/** Whether the object of a mapping is a page table. */
function mapsTable({ mem }: Kernel, mapping: Slot): boolean {
  const [object = 0] = capTypeInfo(Cte.type.get(mem, mapping)).parents;
  return capTypeInfo(object).vnode;
}

/** Whether a mapping has entries in [`first`, `end`) of its table. */
function touches({ mem }: Kernel, mapping: Slot, first: number, end: number): boolean {
  const own = Cte.arg0.get(mem, mapping);
  return own < end && first < own + Cte.arg1.get(mem, mapping);
}

/** Give those entries of a mapping that lie in [`first`, `end`) of its table new flags. */
function writeFlags(k: Kernel, mapping: Slot, first: number, end: number, flags: number): void {
  const { mem } = k;
  const type = Cte.iftype.get(mem, mapping);
  const format = formatOf(k, type);
  if (format === undefined) return;
  const tableBase = asPaddr(Cte.bytes.get(mem, mapping));
  const own = Cte.arg0.get(mem, mapping);
  const view = { format, level: format.levelOf(type), tableBase };
  const last = Math.min(end, own + Cte.arg1.get(mem, mapping));
  changePages(mem, view, Math.max(first, own), last, flags);
}

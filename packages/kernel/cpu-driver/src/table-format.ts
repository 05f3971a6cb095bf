/**
 * Formats of page tables. A kernel fills in tables of every format it was given, so a domain may
 * build an address space for a core of another architecture; this core translates through tables
 * of its own format only.
 */

import { type Errval, OK } from '@barreleye/core';
import { Err, type ObjType, PageFlag, type Paging, Rights, type TableLevel } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** Rights that are also `PageFlag` bits of the same value. */
const ACCESS_RIGHTS = Rights.Read | Rights.Write | Rights.Execute;

/** The format that tables of type `type` belong to, undefined when this kernel has none. */
export function formatOf(k: Kernel, type: ObjType): Paging | undefined {
  for (const format of k.formats) if (format.levelOf(type) >= 0) return format;
  return undefined;
}

/**
 * Whether a table has these entries and user mode may change them.
 * @errors SYS_ERR_VNODE_SLOT_INVALID; SYS_ERR_VM_MAP_SIZE none, or beyond the end;
 *   SYS_ERR_VNODE_SLOT_RESERVED
 */
export function checkEntries(shape: TableLevel, first: number, count: number): Errval {
  if (first >= shape.entryCount) return Err.SYS_ERR_VNODE_SLOT_INVALID;
  if (count === 0 || count > shape.entryCount - first) return Err.SYS_ERR_VM_MAP_SIZE;
  return first + count > shape.reservedFrom ? Err.SYS_ERR_VNODE_SLOT_RESERVED : OK;
}

/**
 * Whether pages with `PageFlag` bits `flags` allow no more than a capability with `rights` (T9).
 * No format can say "write but not read", so every access takes the read right as well.
 * @errors SYS_ERR_VM_MAP_RIGHTS
 */
export function checkAccess(flags: number, rights: number): Errval {
  if ((flags & ~PageFlag.All) !== 0) return Err.SYS_ERR_VM_MAP_RIGHTS;
  const accesses = flags & ~PageFlag.NoCache;
  const needed = accesses === 0 ? 0 : accesses | Rights.Read;
  return (needed & ~(rights & ACCESS_RIGHTS)) === 0 ? OK : Err.SYS_ERR_VM_MAP_RIGHTS;
}

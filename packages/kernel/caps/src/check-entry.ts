/**
 * Capabilities as records, for the checkers: read once, compared often. Nothing here uses the order
 * or the queries of the mapping database, so that these can be checked against it.
 */

import { isInside } from '@barreleye/core';
import {
  CAP_TYPE_INFO,
  type CapTypeInfo,
  Cte,
  CteFlag,
  capTypeInfo,
  isRetypeEdge,
  type ObjType,
} from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { baseOf, bytesOf, isLeafType } from './key.ts';
import type { Slot } from './slot.ts';

/** What a full slot says. */
export interface Entry {
  readonly slot: Slot;
  readonly info: CapTypeInfo;
  readonly type: ObjType;
  readonly rights: number;
  readonly flags: number;
  readonly isForeign: boolean;
  /** First number of the extent and the first behind it (key.ts). */
  readonly base: number;
  readonly end: number;
  /** Hangs on an object: a mapping or an endpoint. */
  readonly isLeaf: boolean;
  /** What tells leaves of one object apart: type and address of the table, or 0; two numbers. */
  readonly iftype: number;
  readonly table: number;
  readonly arg0: number;
  readonly arg1: number;
}

/** Read the full slot `slot`. */
export function readEntry(caps: Caps, slot: Slot): Entry {
  const { mem } = caps;
  const type = Cte.type.get(mem, slot);
  const info = capTypeInfo(type);
  const base = baseOf(mem, slot, type);
  return {
    slot,
    info,
    type,
    rights: Cte.rights.get(mem, slot),
    flags: Cte.flags.get(mem, slot),
    isForeign: info.local && Cte.owner.get(mem, slot) !== caps.coreId,
    base,
    end: base + bytesOf(mem, slot, type),
    isLeaf: isLeafType(type),
    iftype: Cte.iftype.get(mem, slot),
    table: info.mapping ? Cte.bytes.get(mem, slot) : 0,
    arg0: Cte.arg0.get(mem, slot),
    arg1: Cte.arg1.get(mem, slot),
  };
}

/** Whether two entries name the same object. */
export function isSameObject(a: Entry, b: Entry): boolean {
  if (a.type !== b.type || a.base !== b.base || a.end !== b.end) return false;
  return !a.isLeaf || (a.table === b.table && a.arg0 === b.arg0 && a.arg1 === b.arg1);
}

/** Whether `outer` covers all of `inner`, in the same name space. */
export function isWithin(inner: Entry, outer: Entry): boolean {
  return (
    inner.info.root === outer.info.root &&
    isInside(inner.base, inner.end - inner.base, outer.base, outer.end - outer.base)
  );
}

/** Whether the mapping or endpoint `leaf` hangs on the object of `host`. */
export function hangsOn(leaf: Entry, host: Entry): boolean {
  if (!leaf.isLeaf || leaf.info.parents[0] !== host.type) return false;
  return leaf.base === host.base && leaf.end === host.end;
}

/** Whether the objects were made from one another, by edges of the type table in any number. */
export function isMadeFrom(inner: Entry, outer: Entry): boolean {
  if (inner.isLeaf && hangsOn(inner, outer)) return true;
  if (outer.isLeaf || !isWithin(inner, outer)) return false;
  const hasSameExtent = inner.base === outer.base && inner.end === outer.end;
  if (inner.type === outer.type) return !hasSameExtent;
  return descendantTypes(outer.type).has(inner.type);
}

/** Whether the entry is locked, or marked for the sweep. */
export function isBusyEntry({ flags }: Entry): boolean {
  return (flags & (CteFlag.Locked | CteFlag.InDelete)) !== 0;
}

/** Types that can be made from `type` in one or more steps; itself only where it can be split. */
function descendantTypes(type: ObjType): ReadonlySet<ObjType> {
  return DESCENDANT_TYPES[type] as ReadonlySet<ObjType>;
}

const DESCENDANT_TYPES: readonly ReadonlySet<ObjType>[] = CAP_TYPE_INFO.map(({ type }) => {
  const found = new Set<ObjType>();
  const visit = (source: ObjType): void => {
    for (const target of CAP_TYPE_INFO) {
      const isEdge = isRetypeEdge(source, target.type);
      const isMade = isEdge || (target.mapping && target.parents[0] === source);
      if (!isMade || found.has(target.type)) continue;
      found.add(target.type);
      visit(target.type);
    }
  };
  visit(type);
  return found;
});

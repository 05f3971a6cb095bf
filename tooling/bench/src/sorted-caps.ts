/**
 * Capabilities as plain objects, in the order of the mapping database: the form in which other
 * ordered structures hold them.
 */
import { capTypeInfo, ObjType } from '@barreleye/spec';
import type { CapSpace } from './cap-space.ts';

/** All that the order goes by (packages/kernel/caps/src/key.ts). */
export interface CapKey {
  root: number;
  base: number;
  bytes: number;
  type: ObjType;
  /** What tells mappings and endpoints of one object apart: zero, as nothing here hangs on one. */
  extra0: number;
  extra1: number;
  extra2: number;
  slot: number;
}

/** The capability of `page`. */
export function keyOf(space: CapSpace, page: number): CapKey {
  return {
    root: capTypeInfo(ObjType.RAM).root,
    base: space.baseOf(page),
    bytes: space.bytesOf(page),
    type: ObjType.RAM,
    extra0: 0,
    extra1: 0,
    extra2: 0,
    slot: space.slotOf(page),
  };
}

/** Negative, zero or positive as `a` stands before, at or behind `b`. */
export function compareKeys(a: CapKey, b: CapKey): number {
  if (a.root !== b.root) return a.root - b.root;
  if (a.base !== b.base) return a.base - b.base;
  if (a.bytes !== b.bytes) return b.bytes - a.bytes;
  if (a.type !== b.type) return a.type - b.type;
  if (a.extra0 !== b.extra0) return a.extra0 - b.extra0;
  if (a.extra1 !== b.extra1) return a.extra1 - b.extra1;
  if (a.extra2 !== b.extra2) return a.extra2 - b.extra2;
  return a.slot - b.slot;
}

/** A sorted array of them. */
export class SortedArray {
  private readonly keys: CapKey[];

  constructor(keys: readonly CapKey[]) {
    this.keys = keys.toSorted(compareKeys);
  }

  get(key: CapKey): CapKey | undefined {
    const found = this.keys[this.indexOf(key)];
    return found && compareKeys(found, key) === 0 ? found : undefined;
  }

  insert(key: CapKey): void {
    this.keys.splice(this.indexOf(key), 0, key);
  }

  remove(key: CapKey): void {
    this.keys.splice(this.indexOf(key), 1);
  }

  /** Index of the first that is not before `key`. */
  private indexOf(key: CapKey): number {
    const { keys } = this;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(keys[middle] as CapKey, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** I16, I18, I46: what user mode reaches through the entries of page tables. */

import { createRangeAnswer, eachCap, findRange, RangeClass, type Slot } from '@barreleye/caps';
import { hex } from '@barreleye/core';
import { Cte, capTypeInfo, type EntryView, ObjType, PageFlag, Rights } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** A kernel object in memory. */
interface KernelObject {
  readonly slot: Slot;
  readonly base: number;
  readonly end: number;
  /** A page table: user mode may read it. */
  readonly isTable: boolean;
}

/** Types whose memory is the kernel's, beside page tables. */
const KERNEL_TYPES: ReadonlySet<ObjType> = new Set([
  ObjType.L1CNode,
  ObjType.L2CNode,
  ObjType.Dispatcher,
  ObjType.KernelControlBlock,
]);
/** Rights that are also `PageFlag` bits of the same value. */
const ACCESS_RIGHTS = Rights.Read | Rights.Write | Rights.Execute;

/** The kernel objects of this core, by address. */
export function collectKernelObjects({ caps, mem }: Kernel): KernelObject[] {
  const objects: KernelObject[] = [];
  for (const slot of eachCap(caps)) {
    const type = Cte.type.get(mem, slot);
    const isTable = capTypeInfo(type).vnode;
    if (!isTable && !KERNEL_TYPES.has(type)) continue;
    const base = Cte.base.get(mem, slot);
    objects.push({ slot, base, end: base + Cte.bytes.get(mem, slot), isTable });
  }
  return objects.sort((a, b) => a.base - b.base);
}

/**
 * Check an entry that maps `pageBytes` bytes.
 * @param owner the mapping that the entry belongs to, if there is one
 * @param deniesExecute whether the format can forbid execution: `Paging.deniesExecute`
 */
export function checkPage(
  k: Kernel,
  objects: readonly KernelObject[],
  owner: Slot | undefined,
  { base, flags }: EntryView,
  pageBytes: number,
  deniesExecute: boolean,
): string[] {
  const problems: string[] = [];
  for (const object of overlapping(objects, base, base + pageBytes)) {
    if (object.isTable && (flags & PageFlag.Write) === 0) continue;
    problems.push(`I16 user mode reaches the kernel object in ${hex(object.slot)}`);
  }
  const answer = createRangeAnswer();
  findRange(k.caps, ObjType.RAM, base, pageBytes, answer);
  const type = answer.slot === 0 ? ObjType.Null : Cte.type.get(k.mem, answer.slot);
  if (answer.kind === RangeClass.Surrounding && !capTypeInfo(type).mappable) {
    problems.push(`I18 a page of the ${capTypeInfo(type).name} in ${hex(answer.slot)}`);
  }
  const rights = owner === undefined ? ACCESS_RIGHTS : Cte.rights.get(k.mem, owner);
  const denied = ACCESS_RIGHTS & ~rights & (deniesExecute ? ACCESS_RIGHTS : ~PageFlag.Execute);
  if ((flags & denied) !== 0) problems.push('I46 more rights than its mapping');
  return problems;
}

/** Those of `objects`, which are apart and in order, that have a byte in [`from`, `end`). */
function overlapping(objects: readonly KernelObject[], from: number, end: number): KernelObject[] {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((objects[middle] as KernelObject).end <= from) low = middle + 1;
    else high = middle;
  }
  const found: KernelObject[] = [];
  for (let i = low; i < objects.length && (objects[i] as KernelObject).base < end; i++) {
    found.push(objects[i] as KernelObject);
  }
  return found;
}

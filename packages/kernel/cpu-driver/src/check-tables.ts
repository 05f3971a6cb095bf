/**
 * I44, I45, I48, I49, I51: page tables say what the mapping capabilities say, and nothing else.
 * Every present entry of user mode belongs to one mapping; it leads into the mapped object, and is
 * of the type that its level takes. The root in use is alive.
 */

import { eachCap, findObject, NO_SLOT, type Slot } from '@barreleye/caps';
import { BASE_PAGE_SIZE, hex, isInside, type Paddr } from '@barreleye/core';
import { Cte, capTypeInfo, ObjType, type Paging, type TableLevel } from '@barreleye/spec';
import { checkPage, collectKernelObjects } from './check-pages.ts';
import type { Kernel } from './kernel.ts';
import { memoryOf } from './page-entries.ts';
import { formatOf } from './table-format.ts';

/** A page table in use on this core, and owned by it. */
interface Table {
  readonly base: Paddr;
  readonly format: Paging;
  readonly level: number;
  readonly shape: TableLevel;
  /** Mappings by entry: copies of one mapping count as one. */
  readonly owners: (Slot | undefined)[];
}

/** Check all page tables of this core. */
export function checkTables(k: Kernel, problems: string[]): void {
  const tables = collectTables(k);
  assignEntries(k, tables, problems);
  const objects = collectKernelObjects(k);
  for (const table of tables.values()) checkTable(k, table, objects, problems);
  const root = k.hal.currentRoot();
  if (root === 0) return;
  const { rootType } = k.hal.paging;
  if (findObject(k.caps, rootType, root, capTypeInfo(rootType).bytes) !== NO_SLOT) return;
  problems.push(`I48 the core translates through ${hex(root)}, which is no live root`);
}

function collectTables(k: Kernel): Map<number, Table> {
  const { mem } = k;
  const tables = new Map<number, Table>();
  for (const slot of eachCap(k.caps)) {
    if (Cte.owner.get(mem, slot) !== k.hal.coreId) continue;
    const type = Cte.type.get(mem, slot);
    const format = formatOf(k, type);
    const level = format?.levelOf(type) ?? -1;
    const shape = format?.levels[level];
    const base = Cte.base.get(mem, slot);
    if (format === undefined || shape === undefined || tables.has(base)) continue;
    tables.set(base, { base, format, level, shape, owners: new Array(shape.entryCount) });
  }
  return tables;
}

function assignEntries(k: Kernel, tables: Map<number, Table>, problems: string[]): void {
  const { mem } = k;
  for (const slot of eachCap(k.caps)) {
    if (!capTypeInfo(Cte.type.get(mem, slot)).mapping) continue;
    const table = tables.get(Cte.bytes.get(mem, slot));
    if (table === undefined || table.shape.type !== Cte.iftype.get(mem, slot)) {
      problems.push(`I48 the mapping in ${hex(slot)} names no live page table`);
      continue;
    }
    const first = Cte.arg0.get(mem, slot);
    const end = first + Cte.arg1.get(mem, slot);
    for (let i = first; i < end; i++) {
      const owner = table.owners[i];
      if (owner !== undefined && !saysTheSame(k, owner, slot)) {
        problems.push(`I44 entry ${i} of table ${hex(table.base)} belongs to two mappings`);
      }
      table.owners[i] = slot;
    }
  }
}

function saysTheSame({ mem }: Kernel, a: Slot, b: Slot): boolean {
  return [Cte.type, Cte.base, Cte.bytes, Cte.arg0, Cte.arg1].every(
    (field) => field.get(mem, a) === field.get(mem, b),
  );
}

function checkTable(
  k: Kernel,
  table: Table,
  objects: ReturnType<typeof collectKernelObjects>,
  problems: string[],
): void {
  const { base, format, level, shape, owners } = table;
  for (let i = 0; i < shape.entryCount; i++) {
    const isPresent = format.isPresent(k.mem, level, base, i);
    if (!isPresent && owners[i] === undefined) continue;
    const found = [checkPresence(table, i, isPresent) ?? checkEntry(k, table, i)];
    const entry = format.readEntry(k.mem, level, base, i);
    if (entry.kind === 'page' && i < shape.reservedFrom) {
      const memory = memoryOf(k.mem, { format, level, tableBase: base }, i);
      const page = { ...entry, base: memory };
      found.push(
        ...checkPage(k, objects, owners[i], page, 2 ** shape.spanBits, format.deniesExecute),
      );
    }
    for (const problem of found) {
      if (problem !== undefined) problems.push(`${problem}: entry ${i} of table ${hex(base)}`);
    }
  }
}

/** Whether entry `i` is present exactly where a mapping says so. */
function checkPresence(
  { shape, owners }: Table,
  i: number,
  isPresent: boolean,
): string | undefined {
  const isOwned = owners[i] !== undefined;
  if (i >= shape.reservedFrom) return isPresent || isOwned ? "I49 the kernel's" : undefined;
  return isPresent === isOwned ? undefined : 'I44 present without a mapping, or the reverse';
}

/** Whether entry `i` leads to where its mapping says. */
function checkEntry({ mem }: Kernel, table: Table, i: number): string | undefined {
  const { base, format, level, shape, owners } = table;
  const owner = owners[i];
  if (owner === undefined) return undefined;
  const entry = format.readEntry(mem, level, base, i);
  const [type = ObjType.Null] = capTypeInfo(Cte.type.get(mem, owner)).parents;
  const objectBase = Cte.base.get(mem, owner);
  if (capTypeInfo(type).vnode) {
    const isChild = entry.kind === 'table' && type === shape.childType;
    return isChild && entry.base === objectBase ? undefined : 'I51 not the table that was mapped';
  }
  if (entry.kind !== 'page' || !shape.mapsPages) return 'I51 not a page';
  const objectBytes = capTypeInfo(type).bytes || Cte.tableHead.get(mem, owner) * BASE_PAGE_SIZE;
  const pageBytes = 2 ** shape.spanBits;
  const memory = memoryOf(mem, { format, level, tableBase: base }, i);
  const first = memory - (i - Cte.arg0.get(mem, owner)) * pageBytes;
  const bytes = Cte.arg1.get(mem, owner) * pageBytes;
  return isInside(first, bytes, objectBase, objectBytes)
    ? undefined
    : 'I45 a page outside its object';
}

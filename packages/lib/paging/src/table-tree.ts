/**
 * The library's own record of the page tables of an address space: which tables exist, in which
 * slots. The hardware tables cannot be read by user code, so this is the only way to find them.
 * Tables are made on demand and kept, until a larger page wants the place of empty ones.
 */

import {
  assert,
  BASE_PAGE_SIZE,
  type Errval,
  errPush,
  fail,
  isOk,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capRetypeAny,
  holds,
  type RamBlock,
  type Slot,
  type Sys,
  vnodeMap,
} from '@barreleye/libos';
import {
  CAP_TYPE_NAMES,
  Err,
  type MappingTypeName,
  type Paging,
  type VNodeTypeName,
} from '@barreleye/spec';
import type { MemorySource } from './memory-source.ts';

/** What a library knows of page tables: their shape. The entries are the kernel's business. */
export type TableShape = Pick<Paging, 'levels' | 'entryIndex'>;

/** A table on the way to a page. */
export interface TableStep {
  readonly table: Capref<VNodeTypeName>;
  /** Index into `Paging.levels`. */
  readonly level: number;
  /** Entry that translates the address. */
  readonly index: number;
}

/** One page table that this address space uses. */
interface TableNode {
  readonly cap: Capref<VNodeTypeName>;
  /** Index into `Paging.levels`. */
  readonly level: number;
  /** Tables below, by entry. */
  readonly children: Map<number, TableNode>;
  /** Mappings of pages in this very table. */
  pageMappings: number;
  /** What the table is made of and installed with; the root is the domain's from the start. */
  readonly parts: TableParts | undefined;
}

interface TableParts {
  readonly ram: RamBlock;
  readonly mapping: Capref;
}

export class TableTree {
  private readonly sys: Sys;
  private readonly paging: TableShape;
  private readonly source: MemorySource;
  private readonly root: TableNode;
  private tableCount: number;

  constructor(sys: Sys, paging: TableShape, root: Capref<VNodeTypeName>, source: MemorySource) {
    this.sys = sys;
    this.paging = paging;
    this.source = source;
    const children = new Map();
    this.root = { cap: root, level: 0, children, pageMappings: 0, parts: undefined };
    this.tableCount = 1;
  }

  /** Tables there are, the root included. */
  get count(): number {
    return this.tableCount;
  }

  /** The table of level `level` that translates `va`; tables on the way are made. */
  tableAt(va: number, level: number): Result<Capref<VNodeTypeName>> {
    let node = this.root;
    while (node.level < level) {
      const index = this.paging.entryIndex(node.level, va);
      const child = node.children.get(index);
      if (child !== undefined) {
        node = child;
        continue;
      }
      const made = this.createChild(node, index);
      if (!made.ok) return made;
      node = made.value;
    }
    return succeed(node.cap);
  }

  /** Note that `change` more mappings of pages are in the table of level `level` for `va`. */
  countPages(va: number, level: number, change: number): void {
    const node = this.nodeAt(va, level);
    assert(node !== undefined, 'pages are mapped in a table');
    node.pageMappings += change;
  }

  /** Whether the entry for `va` in its table of level `level` leads to pages through a table. */
  hasPagesBelow(va: number, level: number): boolean {
    const child = this.nodeAt(va, level + 1);
    return child !== undefined && !isUnused(child);
  }

  /**
   * Delete the tables below the entry for `va` in its table of level `level`; nothing is mapped in
   * them.
   * @errors LIB_ERR_CAP_DELETE over the kernel's reason; the others stay
   */
  removeBelow(va: number, level: number): Errval {
    const parent = this.nodeAt(va, level);
    const index = this.paging.entryIndex(level, va);
    const child = parent?.children.get(index);
    return parent === undefined || child === undefined ? OK : this.remove(parent, index, child);
  }

  /** The tables that translate `va`, the root first, as far as there are any. */
  path(va: number): TableStep[] {
    const steps: TableStep[] = [];
    for (let node: TableNode | undefined = this.root; node !== undefined; ) {
      const index: number = this.paging.entryIndex(node.level, va);
      steps.push({ table: node.cap, level: node.level, index });
      node = node.children.get(index);
    }
    return steps;
  }

  /** Delete all tables but the root; nothing is mapped in them. @errors as `removeBelow` */
  removeAll(): Errval {
    for (const [index, child] of this.root.children) {
      const err = this.remove(this.root, index, child);
      if (!isOk(err)) return err;
    }
    return OK;
  }

  private nodeAt(va: number, level: number): TableNode | undefined {
    let node: TableNode | undefined = this.root;
    while (node !== undefined && node.level < level) {
      node = node.children.get(this.paging.entryIndex(node.level, va));
    }
    return node;
  }

  /** The kernel clears the entry of a table that dies, and deletes the mapping. */
  private remove(parent: TableNode, index: number, node: TableNode): Errval {
    for (const [i, child] of node.children) {
      const err = this.remove(node, i, child);
      if (!isOk(err)) return err;
    }
    assert(isUnused(node) && node.parts !== undefined, 'an empty table below the root');
    const err = capDelete(this.sys, node.cap);
    if (!isOk(err)) return err;
    parent.children.delete(index);
    this.tableCount -= 1;
    this.source.freeSlot(node.cap);
    this.source.freeSlot(node.parts.mapping);
    const freed = this.source.freeRam(node.parts.ram);
    assert(isOk(freed), 'RAM that nobody uses can be freed');
    return OK;
  }

  /** Make the table that entry `index` of `parent` lacks, and install it. */
  private createChild(parent: TableNode, index: number): Result<TableNode> {
    const level = this.paging.levels[parent.level + 1];
    const type = level === undefined ? undefined : CAP_TYPE_NAMES[level.type];
    assert(level !== undefined && type !== undefined, 'the last level has no tables below it');
    const ram = this.source.allocRam(Math.max(level.tableBytes, BASE_PAGE_SIZE));
    if (!ram.ok) return fail(errPush(ram.err, Err.LIB_ERR_VNODE_CREATE));
    const slot = this.source.allocSlot();
    if (!slot.ok) return this.undo(slot.err, ram.value, []);
    const range = { offset: 0, objectBytes: level.tableBytes, count: 1 };
    const table = capRetypeAny(this.sys, slot.value, ram.value.cap, type, range);
    if (!table.ok) return this.undo(table.err, ram.value, [slot.value]);
    const cap = holds<VNodeTypeName>(table.value);
    const installed = this.install(parent, index, cap);
    if (!installed.ok) {
      const deleted = capDelete(this.sys, cap);
      assert(isOk(deleted), 'a table that was just made can be deleted');
      return this.undo(installed.err, ram.value, [slot.value]);
    }
    const parts = { ram: ram.value, mapping: installed.value };
    const children = new Map();
    const child = { cap, level: parent.level + 1, children, pageMappings: 0, parts };
    parent.children.set(index, child);
    this.tableCount += 1;
    return succeed(child);
  }

  private install(
    parent: TableNode,
    index: number,
    child: Capref<VNodeTypeName>,
  ): Result<Capref<MappingTypeName>> {
    const slot = this.source.allocSlot();
    if (!slot.ok) return slot;
    const args = { entry: index, count: 1, flags: 0, offset: 0 };
    const mapped = vnodeMap(this.sys, slot.value, parent.cap, child, args);
    if (!mapped.ok) this.source.freeSlot(slot.value);
    return mapped;
  }

  private undo(err: Errval, ram: RamBlock, slots: readonly Slot[]): Result<never> {
    for (const slot of slots) this.source.freeSlot(slot);
    const freed = this.source.freeRam(ram);
    assert(isOk(freed), 'RAM that was just allocated can be freed');
    return fail(errPush(err, Err.LIB_ERR_VNODE_CREATE));
  }
}

/** Whether no page is mapped in a table or below it. */
function isUnused(node: TableNode): boolean {
  if (node.pageMappings > 0) return false;
  for (const child of node.children.values()) if (!isUnused(child)) return false;
  return true;
}

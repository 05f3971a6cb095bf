/**
 * `drive mm`: the memory manager over regions that the document names. In place of a kernel there
 * is a table of capabilities. It refuses one out of bounds, and one that begins where another does.
 */

import { BASE_PAGE_SIZE, type Errval, isOk, OK, offset, paddr, succeed } from '@barreleye/core';
import {
  createMm,
  type Mm,
  type MmBlock,
  MmIndex,
  MmList,
  type RetypeRequest,
} from '@barreleye/mm';
import { Err, errName, errNames } from '@barreleye/spec';
import { z } from 'zod';
import { hexOut, InputError, numeric, parseInput } from './input.ts';

/** Nodes that a slab holds. */
const SLAB_NODES = 64;
/** More memory than this is kept in a list: the index would need gigabytes itself. */
const INDEX_LIMIT = 2 ** 40;

const name = z.string().min(1);
const Operation = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('alloc'),
    name,
    bytes: numeric,
    align: numeric.optional(),
    from: numeric.optional(),
    to: numeric.optional(),
  }),
  z.strictObject({
    op: z.literal('free'),
    name,
    offset: numeric.optional(),
    bytes: numeric.optional(),
  }),
]);

const MmCase = z.strictObject({
  regions: z.array(z.strictObject({ base: numeric, bytes: numeric })),
  ops: z.array(Operation),
});

type Operation = z.infer<typeof Operation>;
type Alloc = Operation & { op: 'alloc' };
type Free = Operation & { op: 'free' };
type Range = Pick<MmBlock<number>, 'base' | 'bytes'>;

/** Run a case. */
export function driveMm(document: unknown): unknown {
  const { regions, ops } = parseInput(MmCase, document);
  const user = new User(regions.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const [i, { base, bytes }] of regions.entries()) user.add(i, base, bytes);
  const results = ops.map((op) => (op.op === 'alloc' ? user.alloc(op) : user.free(op)));
  return { results, ...user.state() };
}

/** What is left of an allocation: offsets count from `base` for ever. */
interface Holding {
  readonly base: MmBlock<number>['base'];
  readonly parts: readonly MmBlock<number>[];
}

/** Who asks the manager for memory, and holds it under names. */
class User {
  private readonly mm: Mm<number>;
  private readonly table = new CapTable();
  private readonly held = new Map<string, Holding>();
  private slabs = 1;

  constructor(totalBytes: number) {
    const store = totalBytes > INDEX_LIMIT ? MmList<number> : MmIndex<number>;
    this.mm = createMm<number>({
      store: new store(SLAB_NODES),
      retype: (request) => this.table.retype(request),
      deleteCap: (cap) => this.table.delete(cap),
      allocSlot: () => succeed(this.table.emptySlot()),
      freeSlot: () => {},
      refill: () => this.refill(),
    });
  }

  add(index: number, base: number, bytes: number): void {
    const isAddress = base < 2 ** 52;
    const region = { cap: this.table.emptySlot(), base: paddr(isAddress ? base : 0), bytes };
    if (this.mm.store.spareNodes() === 0) this.refill();
    const err = isAddress ? this.mm.add(region) : Err.MM_ERR_OUT_OF_BOUNDS;
    if (!isOk(err)) throw new InputError(`regions.${index}: ${errName(err)}`);
    this.table.boot(region);
  }

  alloc({ name, bytes, align, from, to }: Alloc): object {
    if (this.held.has(name)) return report(Err.SYS_ERR_SLOTS_IN_USE);
    const got = this.mm.alloc(bytes, { alignBytes: align, from, to });
    if (!got.ok) return report(got.err);
    this.held.set(name, { base: got.value.base, parts: [got.value] });
    return describe(got.value);
  }

  free({ name, offset: skipped, bytes }: Free): object {
    const holding = this.held.get(name);
    if (holding === undefined) return report(Err.MM_ERR_NOT_ALLOCATED);
    if (skipped === undefined && bytes === undefined) return this.freeAll(name, holding);
    return this.freePart(name, holding, skipped ?? 0, bytes);
  }

  state(): object {
    const free = this.mm.nodes().filter(({ state }) => state === 'free');
    return {
      free: free.map((node) => ({ ...describe(node), parent: hexOut(node.parent.base) })),
      slots: this.table.usedSlots() - this.mm.regions().length,
      slabs: this.slabs,
    };
  }

  private freeAll(name: string, { parts }: Holding): object {
    let freedBytes = 0;
    for (const [i, part] of parts.entries()) {
      const err = this.mm.free(part);
      if (!isOk(err)) {
        this.held.set(name, { base: part.base, parts: parts.slice(i) });
        return report(err);
      }
      freedBytes += part.bytes;
    }
    this.held.delete(name);
    return describe({ base: parts[0]!.base, bytes: freedBytes });
  }

  private freePart(name: string, holding: Holding, skipped: number, wanted?: number): object {
    const start = holding.base + skipped;
    const part = holding.parts.find(({ base, bytes }) => start >= base && start < base + bytes);
    if (part === undefined || skipped % BASE_PAGE_SIZE !== 0) {
      return report(Err.MM_ERR_NOT_ALLOCATED);
    }
    const asked = wanted ?? part.base + part.bytes - start;
    if (asked === 0) return report(Err.MM_ERR_INVALID_SIZE);
    const bytes = Math.ceil(asked / BASE_PAGE_SIZE) * BASE_PAGE_SIZE;
    if (start + bytes > part.base + part.bytes) return report(Err.MM_ERR_NOT_ALLOCATED);
    const pieces = this.table.split(part, start - part.base, bytes);
    const freed = pieces.find(({ base }) => base === start)!;
    const err = this.mm.free(freed);
    const left = isOk(err) ? pieces.filter((piece) => piece !== freed) : pieces;
    const parts = holding.parts.flatMap((other) => (other === part ? left : [other]));
    if (parts.length === 0) this.held.delete(name);
    else this.held.set(name, { base: holding.base, parts });
    return isOk(err) ? describe(freed) : report(err);
  }

  private refill(): Errval {
    this.slabs += 1;
    this.mm.growNodes(SLAB_NODES);
    return OK;
  }
}

/** Capabilities for RAM by slot number, each made of a region or, by `split`, of another one. */
class CapTable {
  private readonly slots = new Map<number, Range>();
  /** Where those that were made begin. */
  private readonly bases = new Set<number>();
  private nextSlot = 0;

  emptySlot(): number {
    return this.nextSlot++;
  }

  usedSlots(): number {
    return this.slots.size;
  }

  boot({ cap, base, bytes }: MmBlock<number>): void {
    this.slots.set(cap, { base, bytes });
  }

  retype({ source, offsetBytes, bytes, target }: RetypeRequest<number>): Errval {
    const from = this.slots.get(source);
    if (from === undefined) return Err.SYS_ERR_SOURCE_CAP_LOOKUP;
    if (offsetBytes + bytes > from.bytes) return Err.SYS_ERR_RETYPE_INVALID_OFFSET;
    const base = offset(from.base, offsetBytes);
    if (this.bases.has(base)) return Err.SYS_ERR_REVOKE_FIRST;
    this.set(target, { base, bytes });
    return OK;
  }

  delete(slot: number): Errval {
    const range = this.slots.get(slot);
    if (range === undefined) return Err.SYS_ERR_CAP_NOT_FOUND;
    this.slots.delete(slot);
    this.bases.delete(range.base);
    return OK;
  }

  /** Replace the capability of `block` by one for `bytes` bytes of it, and one for each rest. */
  split(block: MmBlock<number>, padBytes: number, bytes: number): MmBlock<number>[] {
    const restBytes = block.bytes - padBytes - bytes;
    this.delete(block.cap);
    let at = block.base;
    const pieces: MmBlock<number>[] = [];
    for (const length of [padBytes, bytes, restBytes]) {
      if (length === 0) continue;
      const piece = { cap: this.emptySlot(), base: at, bytes: length };
      this.set(piece.cap, piece);
      pieces.push(piece);
      at = paddr(at + length);
    }
    return pieces;
  }

  private set(slot: number, { base, bytes }: Range): void {
    this.slots.set(slot, { base, bytes });
    this.bases.add(base);
  }
}

function report(err: Errval): object {
  return { error: errName(err), stack: errNames(err) };
}

function describe({ base, bytes }: Range): object {
  return { base: hexOut(base), bytes: hexOut(bytes) };
}

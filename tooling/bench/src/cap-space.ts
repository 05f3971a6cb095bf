/**
 * A capability space with many capabilities: RAM, page by page. Every other one is two pages long
 * and contains the next, so they nest, and no two begin at the same address. Chance decides which
 * slot holds which page, and so the order in which pages enter the mapping database.
 *
 * `c/main.c` fills its database with the same, from the same seed, and draws the same pages.
 */
import { Caps, createCap, type Slot } from '@barreleye/caps';
import { asPaddr, asPtr, BASE_PAGE_SIZE, type Paddr, PhysMem, Prng } from '@barreleye/core';
import {
  CTE_BYTES,
  KCB_BYTES,
  Kcb,
  L1_CNODE_GRANULE,
  L2_CNODE_BYTES,
  L2_CNODE_SLOTS,
  ObjType,
} from '@barreleye/spec';

export const SEED = 1;
/** Pages that are drawn beforehand, then used in turn; a power of two. */
const PICKS = 2 ** 20;
/** CNodes without pages, behind those that hold them. */
const EMPTY_CNODES = 2;

export class CapSpace {
  readonly caps: Caps;
  /** Capabilities of pages. */
  readonly count: number;
  /** The root CNode. */
  readonly root: Slot;
  /** Slots by page, as links: addresses divided by the size of a slot. */
  private readonly links: Uint32Array;
  private readonly picks: Uint32Array;
  private readonly rootAt: Paddr;
  private readonly cnodesAt: Paddr;
  private readonly ramAt: Paddr;
  private cursor: number;

  /** @param origin address of the first byte of memory */
  constructor(count: number, origin = 0) {
    const cnodes = Math.ceil(count / L2_CNODE_SLOTS) + EMPTY_CNODES;
    const rootBytes = Math.ceil((cnodes * CTE_BYTES) / L1_CNODE_GRANULE) * L1_CNODE_GRANULE;
    this.rootAt = asPaddr(origin + KCB_BYTES);
    this.cnodesAt = asPaddr(this.rootAt + rootBytes);
    this.ramAt = asPaddr(this.cnodesAt + cnodes * L2_CNODE_BYTES);
    // Nobody touches the pages, so the host has to find memory for no more than the slots.
    const bytes = this.ramAt + (count + 1) * BASE_PAGE_SIZE - origin;
    const kcb = asPtr<'Kcb'>(origin);
    this.caps = new Caps(new PhysMem(new SharedArrayBuffer(bytes), origin), kcb);
    this.count = count;
    this.root = Kcb.rootCn.at(kcb);
    this.links = new Uint32Array(count);
    this.picks = new Uint32Array(PICKS);
    this.cursor = 0;
    createCap(this.caps, this.root, ObjType.L1CNode, { base: this.rootAt, bytes: rootBytes });
    for (let i = 0; i < cnodes; i++) {
      const base = asPaddr(this.cnodesAt + i * L2_CNODE_BYTES);
      createCap(this.caps, this.cnode(i), ObjType.L2CNode, { base });
    }
    this.fill(new Prng(SEED));
  }

  /** The next random page. */
  draw(): number {
    const page = this.picks[this.cursor] as number;
    this.cursor = (this.cursor + 1) % PICKS;
    return page;
  }

  /** Address of the first byte of `page`. */
  baseOf(page: number): Paddr {
    return asPaddr(this.ramAt + page * BASE_PAGE_SIZE);
  }

  /** Length of the RAM that begins at `page`. */
  bytesOf(page: number): number {
    return page % 2 === 0 ? 2 * BASE_PAGE_SIZE : BASE_PAGE_SIZE;
  }

  /** The slot for `page`. */
  slotOf(page: number): Slot {
    return asPtr<'Cte'>((this.links[page] as number) * CTE_BYTES);
  }

  /** Make the capability of `page` anew, in the slot for it. */
  create(page: number): void {
    const spec = { base: this.baseOf(page), bytes: this.bytesOf(page) };
    createCap(this.caps, this.slotOf(page), ObjType.RAM, spec);
  }

  /** From now on `slot` is the one for `page`. */
  moved(page: number, slot: Slot): void {
    this.links[page] = slot / CTE_BYTES;
  }

  /** The capability of the `index`-th CNode without pages. */
  emptyCNode(index: number): Slot {
    return this.cnode(Math.ceil(this.count / L2_CNODE_SLOTS) + index);
  }

  /** Slot `slotIndex` of that CNode. */
  emptySlot(index: number, slotIndex: number): Slot {
    const first = Math.ceil(this.count / L2_CNODE_SLOTS) + index;
    return asPtr<'Cte'>(this.cnodesAt + first * L2_CNODE_BYTES + slotIndex * CTE_BYTES);
  }

  private cnode(index: number): Slot {
    return asPtr<'Cte'>(this.rootAt + index * CTE_BYTES);
  }

  private fill(prng: Prng): void {
    const { count } = this;
    const pages = Uint32Array.from({ length: count }, (_, page) => page);
    for (let i = count - 1; i > 0; i--) {
      const j = prng.below(i + 1);
      const page = pages[i] as number;
      pages[i] = pages[j] as number;
      pages[j] = page;
    }
    for (const [i, page] of pages.entries()) {
      this.moved(page, asPtr<'Cte'>(this.cnodesAt + i * CTE_BYTES));
      this.create(page);
    }
    for (let i = 0; i < PICKS; i++) this.picks[i] = prng.below(count);
  }
}

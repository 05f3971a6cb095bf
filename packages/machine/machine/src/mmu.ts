/**
 * Address translation for user mode: a page walker behind a translation lookaside buffer. The TLB
 * is modelled explicitly, with address-space tags and global entries, because stale entries are
 * where shoot-down bugs live: what the kernel forgets to invalidate stays visible.
 *
 * Direct-mapped, one entry a 4 KiB page (large pages fill one entry for each page touched).
 */

import { asPaddr, BASE_PAGE_SIZE, type Paddr, type PhysMem } from '@barreleye/core';
import { Access, PageFlag, type Paging, type Walker } from '@barreleye/spec';

/** Entries of the TLB; a power of two. */
export const TLB_ENTRIES = 512;

/** A virtual page number that no address has. */
const NO_PAGE = -(2 ** 52);
/** `tags` entry of a page that is valid in every address space. */
const GLOBAL_TAG = 0xffff_ffff;
/** Bit in `flags`: the page table says dirty, so stores need not walk again. */
const DIRTY = 0x80;
/** `PageFlag` that an access needs, by the low two bits of the access. */
const NEEDED = [PageFlag.Read, PageFlag.Write | DIRTY, PageFlag.Execute] as const;

export class Mmu {
  /** The outcome of the last walk; fault code and name after a fault. */
  readonly walker: Walker;
  root: Paddr;
  tag: number;
  /** Translations that the TLB did not have. */
  missCount: number;
  private readonly pages: Float64Array; //  virtual page number
  private readonly frames: Float64Array; // physical address of the page
  private readonly tags: Uint32Array;
  private readonly flags: Uint8Array;

  constructor(mem: PhysMem, paging: Paging) {
    this.walker = paging.createWalker(mem);
    this.root = asPaddr(0);
    this.tag = 0;
    this.missCount = 0;
    this.pages = new Float64Array(TLB_ENTRIES).fill(NO_PAGE);
    this.frames = new Float64Array(TLB_ENTRIES);
    this.tags = new Uint32Array(TLB_ENTRIES);
    this.flags = new Uint8Array(TLB_ENTRIES);
  }

  /**
   * Translate a user access (`Access.User` is implied).
   * @returns the physical address, or a negative number: the fault is in `walker`
   */
  translate(va: number, access: number): number {
    const page = Math.floor(va / BASE_PAGE_SIZE);
    const i = page & (TLB_ENTRIES - 1);
    if (this.pages[i] === page) {
      const tag = this.tags[i];
      const need = NEEDED[access & 3] ?? 0;
      if ((tag === this.tag || tag === GLOBAL_TAG) && ((this.flags[i] ?? 0) & need) === need) {
        return (this.frames[i] ?? 0) + (va - page * BASE_PAGE_SIZE);
      }
    }
    return this.walkAndFill(va, page, i, access);
  }

  /** Forget the page at `va`, whatever its tag. */
  invalidatePage(va: number): void {
    const page = Math.floor(va / BASE_PAGE_SIZE);
    const i = page & (TLB_ENTRIES - 1);
    if (this.pages[i] === page) this.pages[i] = NO_PAGE;
  }

  /** Forget the pages of address space `tag`, but not global ones. */
  invalidateTag(tag: number): void {
    for (let i = 0; i < TLB_ENTRIES; i++) if (this.tags[i] === tag) this.pages[i] = NO_PAGE;
  }

  /** Forget everything, global pages too. */
  invalidateAll(): void {
    this.pages.fill(NO_PAGE);
  }

  private walkAndFill(va: number, page: number, i: number, access: number): number {
    this.missCount += 1;
    const { walker } = this;
    const pa = walker.walk(this.root, va, access | Access.User);
    if (pa < 0) return pa;
    this.pages[i] = page;
    this.frames[i] = pa - (va - page * BASE_PAGE_SIZE);
    this.tags[i] = walker.isGlobal ? GLOBAL_TAG : this.tag;
    this.flags[i] = walker.pageFlags | (walker.isDirty ? DIRTY : 0);
    return pa;
  }
}

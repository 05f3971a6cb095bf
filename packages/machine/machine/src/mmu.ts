/**
 * Address translation for user mode: a page walker behind a translation lookaside buffer. The TLB
 * is modelled explicitly, with address-space tags and global entries, because stale entries are
 * where shoot-down bugs live: what the kernel forgets to invalidate stays visible.
 *
 * Direct-mapped, one entry a 4 KiB page. A large page fills one entry for each page touched, and
 * they go together: to invalidate any address of it is to invalidate it all, as on hardware. The
 * place of an entry is a hash of the page and of the address space, because all domains have their
 * image and their frame at the same round addresses: with the page alone, two that talked to each
 * other took each other's places at every switch. Global pages hash as those of space 0.
 *
 * Hot code (docs/style.md): an entry is a row of 32-bit words. Place, tag and bits 31:21 say bits
 * 20:12 of the address, so that tag and denied accesses fit into the word with the rest of them.
 * `ramIndex` compares two words as they are and returns no double, and its constants are literals,
 * as V8 loads exported ones anew in each call. That bought 5 of 9 ns for a load.
 * @source Intel SDM vol. 3A 4.10.2, 4.10.4 (what a TLB keeps, and how it is made to forget)
 */

import { asPaddr, assert, BASE_PAGE_SIZE, type Paddr, type PhysMem } from '@barreleye/core';
import { Access, PageFlag, type Paging, type Walker } from '@barreleye/spec';

/** Entries of the TLB; a power of two. */
export const TLB_ENTRIES = 512;
/** Tags of address spaces are below this. */
export const TAG_LIMIT = 2 ** 17 - 1;

/** What is RAM, where loads and stores need not ask a device. */
export interface RamMap {
  isRam(at: number, bytes: number): boolean;
}

/** A page as the TLB knows it. */
export interface Translation {
  readonly tag: number;
  readonly va: number;
  /** Physical address. */
  readonly base: number;
  /** `Access` that it allows user mode. */
  readonly accesses: readonly number[];
}

/** Words of an entry, and which is which. */
const ENTRY_WORDS = 8;
const KEY = 0; //        below
const HIGH = 1; //       bits 63:32 of the virtual page; 0 where addresses have 32 bits
const WORD = 2; //       index of the page in the words of memory, if it is RAM
const FRAME_LOW = 3; //  physical page
const FRAME_HIGH = 4;
const PAGE = 5; //       bits 31:12 of the virtual page; log2 of the size of what it is part of
const QUICK = 6; //      the key for a read, and for a write, of RAM; `EMPTY` where it is denied

// KEY: bits 31:21 of the virtual page, the tag, NOT_RAM, and denied accesses by `access & 3`.
const TOP = -(2 ** 21);
const TAG_SHIFT = 4;
const NOT_RAM = 8;
const DENY_READ = 1 << Access.Read;
const DENY_WRITE = 1 << Access.Write;
/** An empty entry: every access is denied. */
const EMPTY = NOT_RAM | DENY_READ | DENY_WRITE | (1 << Access.Execute);
/** The part of a key that must be equal. */
const PLACE_AND_TAG = ~EMPTY;
/** The tag of pages that are valid in every address space. */
const GLOBAL_KEY = TAG_LIMIT << TAG_SHIFT;
const TAG_BITS = PLACE_AND_TAG & ~TOP;

/** Word indexes that are positive numbers of 32 bits: the first 8 GiB of memory. */
const WORD_LIMIT = 2 ** 31;
const IN_PAGE = BASE_PAGE_SIZE - 1;
/** Spreads tags: 2^32 divided by the golden ratio. */
const SPREAD = 0x9e37_79b1;
const TWO_32 = 2 ** 32;

export class Mmu {
  /** The outcome of the last walk; fault code and name after a fault. */
  readonly walker: Walker;
  root: Paddr;
  /** Translations that the TLB did not have. */
  missCount: number;
  private readonly entries: Int32Array;
  private readonly origin: number;
  private readonly ram: RamMap;
  /** Bits of the high word of an address that count. */
  private readonly highMask: number;
  /** The tag of the current address space, where keys have it. */
  private tagKey: number;
  /** What it adds to the place of an entry. */
  private tagPlace: number;

  /** @param ram what of `mem` is RAM; all of it, if left out */
  constructor(mem: PhysMem, paging: Paging, ram?: RamMap) {
    this.walker = paging.createWalker(mem);
    this.root = asPaddr(0);
    this.missCount = 0;
    this.entries = new Int32Array(TLB_ENTRIES * ENTRY_WORDS);
    this.origin = mem.origin;
    this.ram = ram ?? { isRam: (at, bytes) => mem.contains(at, bytes) };
    this.highMask = paging.vaddrBits > 32 ? -1 : 0;
    this.tagKey = 0;
    this.tagPlace = 0;
    this.invalidateAll();
  }

  /** The tag of the current address space. */
  get tag(): number {
    return this.tagKey >>> TAG_SHIFT;
  }

  set tag(tag: number) {
    assert(tag >= 0 && tag < TAG_LIMIT, 'no such tag of an address space');
    this.tagKey = tag << TAG_SHIFT;
    this.tagPlace = Math.imul(tag, SPREAD) >>> 20;
  }

  /**
   * Index in the words of memory of the word at virtual address (`high`, `low`), both signed, for a
   * read or a write; -1 when the TLB has no such page, or not for that access, or it is not RAM:
   * then `translate` says more. A global page counts as one that it does not have.
   */
  ramIndex(high: number, low: number, access: number): number {
    const { entries } = this;
    const at = ((low >>> 9) ^ (low >>> 18) ^ (high << 3) ^ this.tagPlace) & 0xff8; // entryAt
    const key = (low & -0x20_0000) | this.tagKey; // TOP
    if (entries[at + 6 + access] !== key || entries[at + 1] !== high) return -1; // QUICK, HIGH
    return entries[at + 2]! | ((low & 0xfff) >>> 2); // WORD
  }

  /** As `ramIndex`, of an address as a number. */
  ramIndexAt(va: number, access: number): number {
    const low = va | 0;
    if (low === va) return this.ramIndex((low >> 31) & this.highMask, low, access);
    const upper = Math.floor(va / TWO_32);
    const high = upper & this.highMask;
    if (this.highMask !== 0 && high !== upper) return -1;
    return this.ramIndex(high, low, access);
  }

  /**
   * Translate a user access (`Access.User` is implied).
   * @returns the physical address, or a negative number: the fault is in `walker`
   */
  translate(va: number, access: number): number {
    const upper = Math.floor(va / TWO_32);
    const high = upper & this.highMask;
    if (this.highMask !== 0 && high !== upper) return this.refuse(va, access);
    const low = va | 0;
    const { entries } = this;
    let at = entryAt(high, low, this.tagPlace);
    if (!this.allows(at, this.tagKey, high, low, access)) {
      at = entryAt(high, low, 0);
      if (!this.allows(at, GLOBAL_KEY, high, low, access)) {
        at = this.fill(high, low, access);
        if (at < 0) return -1;
      }
    }
    const pa = (entries[at + FRAME_LOW]! | (low & IN_PAGE)) >>> 0;
    return entries[at + FRAME_HIGH]! * TWO_32 + pa;
  }

  /** What the TLB holds of pages that are not global: for checks, not for kernels. */
  *translations(): Generator<Translation> {
    const { entries } = this;
    for (let at = 0; at < entries.length; at += ENTRY_WORDS) {
      const key = entries[at]!;
      const tag = (key & TAG_BITS) >>> TAG_SHIFT;
      const accesses = [Access.Read, Access.Write, Access.Execute].filter(
        (access) => (key & (1 << access)) === 0,
      );
      if (accesses.length === 0 || tag === TAG_LIMIT) continue;
      const pageLow = (entries[at + PAGE]! & ~IN_PAGE) >>> 0;
      const baseLow = (entries[at + FRAME_LOW]! & ~IN_PAGE) >>> 0;
      yield {
        tag,
        va: entries[at + HIGH]! * TWO_32 + pageLow,
        base: entries[at + FRAME_HIGH]! * TWO_32 + baseLow,
        accesses,
      };
    }
  }

  /** Forget the page at `va`, whatever its size and its tag. */
  invalidatePage(va: number): void {
    const { entries } = this;
    const high = Math.floor(va / TWO_32) & this.highMask;
    const low = va | 0;
    for (let at = 0; at < entries.length; at += ENTRY_WORDS) {
      if (this.isPartOf(at, high, low)) this.empty(at);
    }
  }

  /** Forget the pages of address space `tag`, but not global ones. */
  invalidateTag(tag: number): void {
    const { entries } = this;
    for (let at = 0; at < entries.length; at += ENTRY_WORDS) {
      if ((entries[at]! & TAG_BITS) >>> TAG_SHIFT === tag) this.empty(at);
    }
  }

  /** Forget everything, global pages too. */
  invalidateAll(): void {
    const { entries } = this;
    for (let at = 0; at < entries.length; at += ENTRY_WORDS) this.empty(at);
  }

  /** Whether the entry at `at` is that of the page of an address, and allows the access. */
  private allows(at: number, tagKey: number, high: number, low: number, access: number): boolean {
    const { entries } = this;
    const key = entries[at]!;
    const isPage = (key & PLACE_AND_TAG) === ((low & TOP) | tagKey);
    return isPage && entries[at + HIGH] === high && (key & (1 << (access & 3))) === 0;
  }

  private empty(at: number): void {
    const { entries } = this;
    entries[at + KEY] = EMPTY;
    entries[at + QUICK] = EMPTY;
    entries[at + QUICK + 1] = EMPTY;
  }

  /** Whether the page of the entry at `at`, large or not, has the address `high`, `low` in it. */
  private isPartOf(at: number, high: number, low: number): boolean {
    const { entries } = this;
    const page = entries[at + PAGE]!;
    const mask = -(2 ** (page & IN_PAGE));
    return entries[at + HIGH] === high && ((page ^ low) & mask) === 0;
  }

  /** An address that is not canonical: the walker says so, and nothing is kept. */
  private refuse(va: number, access: number): number {
    this.missCount += 1;
    return this.walker.walk(this.root, va, access | Access.User);
  }

  /**
   * Walk, and keep what was found. The address comes as words, and the answer goes into the entry,
   * because a number that is no small integer would be put on the heap on its way.
   * @returns the entry; -1: no page allows the access
   */
  private fill(high: number, low: number, access: number): number {
    this.missCount += 1;
    const { entries, walker } = this;
    if (walker.walkWords(this.root, high, low, access | Access.User) < 0) return -1;
    const { pageBits } = walker;
    const at = entryAt(high, low, walker.isGlobal ? 0 : this.tagPlace);
    const frameLow = walker.paLow & ~IN_PAGE;
    const frame = walker.paHigh * TWO_32 + (frameLow >>> 0);
    const word = (frame - this.origin) / 4;
    const isRam = word < WORD_LIMIT && this.ram.isRam(frame, BASE_PAGE_SIZE);
    const tagKey = walker.isGlobal ? GLOBAL_KEY : this.tagKey;
    const denied = deniedBy(walker) | (isRam ? 0 : NOT_RAM);
    const key = (low & TOP) | tagKey;
    entries[at + KEY] = key | denied;
    entries[at + QUICK] = (denied & (NOT_RAM | DENY_READ)) === 0 ? key : EMPTY;
    entries[at + QUICK + 1] = (denied & (NOT_RAM | DENY_WRITE)) === 0 ? key : EMPTY;
    entries[at + HIGH] = high;
    entries[at + WORD] = word;
    entries[at + FRAME_LOW] = frameLow;
    entries[at + FRAME_HIGH] = walker.paHigh;
    entries[at + PAGE] = (low & ~IN_PAGE) | pageBits;
    return at;
  }
}

/** Where the entry of a page is, in words; `tagPlace` is the part of its address space. */
function entryAt(high: number, low: number, tagPlace: number): number {
  const hash = (low >>> 9) ^ (low >>> 18) ^ (high << 3) ^ tagPlace;
  return hash & ((TLB_ENTRIES - 1) * ENTRY_WORDS);
}

/** What the page that was found denies user mode. A clean one denies writing: that needs a walk. */
function deniedBy({ pageFlags, isDirty }: Walker): number {
  const canWrite = (pageFlags & PageFlag.Write) !== 0 && isDirty;
  return (
    ((pageFlags & PageFlag.Read) !== 0 ? 0 : DENY_READ) |
    (canWrite ? 0 : DENY_WRITE) |
    ((pageFlags & PageFlag.Execute) !== 0 ? 0 : 1 << Access.Execute)
  );
}

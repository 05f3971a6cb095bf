/**
 * The walk of a 32-bit x86 MMU: 32-bit paging or, with CR4.PAE, PAE paging; with the checks, the
 * accessed and dirty bits and the error codes of the hardware. Both formats end at the same place:
 * an entry that maps a page, and the rights that are left.
 *
 * Hot code (docs/style.md): 32-bit words, nothing allocated. A 64-bit entry is read as two words,
 * not at once: who changes an entry that another core may be walking must stop that core's walks
 * first, as for its TLB.
 *
 * A processor loads the four page-directory pointers with CR3 and raises #GP if reserved bits are
 * set. Here, as in QEMU, each walk reads them: a reserved bit above the address is a page fault of
 * that walk, the ones below (1, 2, 5 to 8) count for nothing. QEMU also marks pointers accessed; no
 * hardware does, and neither do we.
 *
 * Not modelled: CR4.SMAP and CR4.PKE (they depend on EFLAGS.AC and PKRU), and CR0.PG = 0, where
 * nobody walks.
 * @source Intel SDM vol. 3A 4.3, 4.4 (walks), 4.6 (access rights), 4.7 (error codes), 4.8 (A and D)
 */

import { assert, type Paddr, type PhysMem } from '@barreleye/core';
import { EntryHigh, EntryLow, ErrorCode, FaultName } from '@barreleye/paging-x86-64';
import { Access, PageFlag, type Walker } from '@barreleye/spec';
import { largePageHigh } from './entry.ts';

/** What governs a walk besides CR3. Bits that are not named here have no effect. */
export type ControlRegs = {
  /** Default 0x8001_0011: PG, WP, ET, PE. */
  readonly CR0?: number;
  /** PAE (bit 5) chooses the format, PSE (bit 4) allows 4 MiB pages. SMEP (bit 20) is honoured. */
  readonly CR4?: number;
  /** Default 0x800: NXE. Without CR4.PAE it has no effect. */
  readonly EFER?: number;
  /**
   * Width of physical addresses, CPUID 80000008H EAX[7:0]. Default 52, the most there can be;
   * 32-bit paging uses 40 bits of it at most.
   */
  readonly MAXPHYADDR?: number;
};

// Members of imported objects as constants of this module: V8 folds these, but would load the
// members anew in each walk.
const { P, RW, US, A, D, PS, G } = EntryLow;
const { Address: ADDRESS, XD } = EntryHigh;
const { Write, Execute, User } = Access;
const { Read: MAY_READ, Execute: MAY_EXECUTE, NoCache: NO_CACHE } = PageFlag;

const CR0_PG = 0x8000_0000;
const CR0_WP = 0x0001_0000;
const CR4_PSE = 0x10;
const CR4_PAE = 0x20;
const CR4_SMEP = 0x0010_0000;
const EFER_NXE = 0x800;

const TWO_32 = 2 ** 32;
/** Width of the physical addresses of 4 MiB pages. */
const PSE_BITS = 40;
/** Bit 21 of a 4 MiB entry, and the place of address bit 32. */
const PSE_RESERVED = 0x20_0000;
const PSE_SHIFT = 13;
/** Index bits of a virtual address as the offset of an entry in 32-bit words. */
const INDEX_32 = 0x3ff;
const INDEX_64 = 0x3fe;
/** Address bits 44 to 51 in the high word: no memory of ours is there, and frame numbers end. */
const BEYOND = 0x000f_f000;
/** Word indexes into memory are 32 bits wide. */
const MEMORY_LIMIT = 2 ** 34;

const FAULT = -1;
const FOUND = 0;
/** Another core changed an entry between our look and our mark: begin again. */
const RACED = -2;

/** A walker over `mem` under the control registers `regs`, which it keeps for life. */
export function createWalker(mem: PhysMem, regs: ControlRegs = {}): Walker {
  return new X86Walker(mem, regs);
}

class X86Walker implements Walker {
  pageBits = 0;
  pageFlags = 0;
  isGlobal = false;
  isDirty = false;
  faultCode = 0;
  faultName = '';
  readonly faultDomain = 0;
  /** The physical address, as signed words: small integers to V8, so nothing is allocated. */
  paLow = 0;
  paHigh = 0;
  private readonly words: Uint32Array;
  /** Memory as page frames. */
  private readonly firstFrame: number;
  private readonly frameCount: number;
  private readonly isPae: boolean;
  /** PS where it has an effect in a page directory, else 0. */
  private readonly largeBit: number;
  /** Bits of a 4 MiB entry that must be clear. */
  private readonly largeReserved: number;
  /** Bits of a high word that must be clear: in directories and tables, and in pointers. */
  private readonly reserved: number;
  private readonly pointerReserved: number;
  /** RW when the supervisor needs it to write, else 0. */
  private readonly supervisorNeeds: number;
  private readonly hasSmep: boolean;
  /** Whether error codes tell fetches from reads. */
  private readonly reportsFetch: boolean;

  constructor(mem: PhysMem, regs: ControlRegs) {
    const { CR0 = 0x8001_0011, CR4 = CR4_PSE, EFER = 0x800, MAXPHYADDR = 52 } = regs;
    assert((CR0 & CR0_PG) !== 0, 'CR0.PG is clear: there is no paging');
    assert(MAXPHYADDR >= 32 && MAXPHYADDR <= 52, 'MAXPHYADDR out of range');
    assert(mem.bytes <= MEMORY_LIMIT, 'memory too large for a walker');
    assert(mem.origin + mem.bytes <= 2 ** 44, 'memory beyond the reach of a walker');
    this.words = mem.words;
    this.firstFrame = mem.origin / 4096;
    this.frameCount = mem.bytes / 4096;
    this.isPae = (CR4 & CR4_PAE) !== 0;
    this.largeBit = this.isPae || (CR4 & CR4_PSE) !== 0 ? PS : 0;
    const firstReserved = 1 << (PSE_SHIFT + Math.min(MAXPHYADDR, PSE_BITS) - 32);
    this.largeReserved = 2 * PSE_RESERVED - firstReserved;
    const hasNx = this.isPae && (EFER & EFER_NXE) !== 0;
    this.pointerReserved = -(2 ** (MAXPHYADDR - 32)) | 0;
    this.reserved = hasNx ? this.pointerReserved & ~XD : this.pointerReserved;
    this.supervisorNeeds = (CR0 & CR0_WP) !== 0 ? RW : 0;
    this.hasSmep = (CR4 & CR4_SMEP) !== 0;
    this.reportsFetch = hasNx || this.hasSmep;
  }

  /**
   * The low 32 bits of `root` and `va` count, so a signed address will do as well as an unsigned.
   * Small enough for V8 to inline: in the caller's code addresses then need no heap numbers.
   */
  walk(root: Paddr, va: number, access: number): number {
    if (this.find(root | 0, va | 0, access) !== FOUND) return FAULT;
    const pa = this.paLow >>> 0;
    const high = this.paHigh;
    return high === 0 ? pa : high * TWO_32 + pa;
  }

  walkWords(root: Paddr, _high: number, low: number, access: number): number {
    return this.find(root | 0, low, access);
  }

  /** Translate, again and again while another core changes entries under the walk. */
  private find(root: number, va: number, access: number): number {
    for (;;) {
      const outcome = this.isPae ? this.walkPae(root, va, access) : this.walk32(root, va, access);
      if (outcome !== RACED) return outcome;
    }
  }

  /** 32-bit paging. */
  private walk32(root: number, va: number, access: number): number {
    const { words, firstFrame, frameCount } = this;
    const directory = ((root >>> 12) - firstFrame) >>> 0;
    if (directory >= frameCount) return this.bus(access);
    const at = ((directory << 10) | (va >>> 22)) >>> 0;
    const pde = words[at]!;
    if ((pde & P) === 0) return this.notPresent(access);
    if ((pde & this.largeBit) !== 0) {
      if ((pde & this.largeReserved) !== 0) return this.reservedBit(access);
      return this.page(at, pde, largePageHigh(pde), pde, 0, 22, va, access);
    }
    if ((pde & A) === 0 && !this.mark(at, pde, A)) return RACED;
    const table = ((pde >>> 12) - firstFrame) >>> 0;
    if (table >= frameCount) return this.bus(access);
    const pteAt = ((table << 10) | ((va >>> 12) & INDEX_32)) >>> 0;
    const pte = words[pteAt]!;
    if ((pte & P) === 0) return this.notPresent(access);
    return this.page(pteAt, pte, 0, pde & pte, 0, 12, va, access);
  }

  /** PAE paging. */
  private walkPae(root: number, va: number, access: number): number {
    const { words, firstFrame, frameCount } = this;
    const first = ((root >>> 12) - firstFrame) >>> 0;
    if (first >= frameCount) return this.bus(access);
    const pointerAt = ((first << 10) | ((root >>> 2) & 0x3f8) | ((va >>> 29) & 6)) >>> 0;
    const pointer = words[pointerAt]!;
    const pointerHigh = words[pointerAt + 1]!;
    if ((pointer & P) === 0) return this.notPresent(access);
    if ((pointerHigh & this.pointerReserved) !== 0) return this.reservedBit(access);

    const directory = (((pointerHigh << 20) | (pointer >>> 12)) - firstFrame) >>> 0;
    if (directory >= frameCount || (pointerHigh & BEYOND) !== 0) return this.bus(access);
    const at = ((directory << 10) | ((va >>> 20) & INDEX_64)) >>> 0;
    const pde = words[at]!;
    const pdeHigh = words[at + 1]!;
    if ((pde & P) === 0) return this.notPresent(access);
    if ((pdeHigh & this.reserved) !== 0) return this.reservedBit(access);
    if ((pde & PS) !== 0) {
      // Address bits below the page size are reserved, except the lowest, PAT.
      if ((pde & 0x1f_e000) !== 0) return this.reservedBit(access);
      return this.page(at, pde, pdeHigh & ADDRESS, pde, pdeHigh >>> 31, 21, va, access);
    }
    if ((pde & A) === 0 && !this.mark(at, pde, A)) return RACED;

    const table = (((pdeHigh << 20) | (pde >>> 12)) - firstFrame) >>> 0;
    if (table >= frameCount || (pdeHigh & BEYOND) !== 0) return this.bus(access);
    const pteAt = ((table << 10) | ((va >>> 11) & INDEX_64)) >>> 0;
    const pte = words[pteAt]!;
    const pteHigh = words[pteAt + 1]!;
    if ((pte & P) === 0) return this.notPresent(access);
    if ((pteHigh & this.reserved) !== 0) return this.reservedBit(access);
    const noFetch = (pdeHigh | pteHigh) >>> 31;
    return this.page(pteAt, pte, pteHigh & ADDRESS, pde & pte, noFetch, 12, va, access);
  }

  /**
   * The entry `low` at `at` maps a page of `2 ** bits` bytes: check rights, mark, translate.
   * @param high bits of the physical address from 32 up
   */
  private page(
    at: number,
    low: number,
    high: number,
    rights: number,
    noFetch: number,
    bits: number,
    va: number,
    access: number,
  ): number {
    const isUser = (access & User) !== 0;
    const write = (access & Write) << 1; // RW or 0
    const needs = isUser ? US | write : write & this.supervisorNeeds;
    if ((rights & needs) !== needs) return this.protection(access);
    if ((access & Execute) !== 0) {
      if (noFetch !== 0) return this.protection(access);
      if (this.hasSmep && !isUser && (rights & US) !== 0) return this.protection(access);
    }
    const marks = write === 0 ? A : A | D;
    if ((low & marks) !== marks && !this.mark(at, low, marks)) return RACED;

    let flags = (low >>> 1) & NO_CACHE; // from PCD
    if ((rights & US) !== 0) {
      flags |= MAY_READ | (rights & RW); // RW has the value of PageFlag.Write
      if (noFetch === 0) flags |= MAY_EXECUTE;
    }
    this.pageBits = bits;
    this.pageFlags = flags;
    this.isGlobal = (low & G) !== 0;
    this.isDirty = ((low | marks) & D) !== 0;
    const inPage = (1 << bits) - 1;
    this.paLow = (low & ~inPage) | (va & inPage);
    this.paHigh = high;
    return FOUND;
  }

  /** Set `bits` in the low word at `at` if it still is `low`, as the hardware's locked update. */
  private mark(at: number, low: number, bits: number): boolean {
    return Atomics.compareExchange(this.words, at, low, (low | bits) >>> 0) === low;
  }

  private notPresent(access: number): number {
    return this.fault(FaultName.NotPresent, this.codeOf(access));
  }

  private protection(access: number): number {
    return this.fault(FaultName.Protection, ErrorCode.P | this.codeOf(access));
  }

  private reservedBit(access: number): number {
    return this.fault(FaultName.Reserved, ErrorCode.P | ErrorCode.RSVD | this.codeOf(access));
  }

  private bus(access: number): number {
    return this.fault(FaultName.Bus, ErrorCode.P | ErrorCode.RSVD | this.codeOf(access));
  }

  private fault(name: string, code: number): number {
    this.faultName = name;
    this.faultCode = code;
    return FAULT;
  }

  /** The bits of an error code that describe the access. */
  private codeOf(access: number): number {
    const isFetch = (access & Execute) !== 0;
    return (
      ((access & Write) !== 0 ? ErrorCode.WR : 0) |
      ((access & User) !== 0 ? ErrorCode.US : 0) |
      (isFetch && this.reportsFetch ? ErrorCode.ID : 0)
    );
  }
}

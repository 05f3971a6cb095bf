/**
 * The walk of an x86-64 MMU, four levels, with the checks, the accessed and dirty bits and the
 * error codes of the hardware.
 *
 * `find` is hot code (docs/style.md) and answers only the common case: a 4 KiB page that allows the
 * access, with nothing to mark. It collects the bits of all levels and judges them once, at the
 * end; entries and addresses are 32-bit words, and what it reads on a way that turns out wrong
 * does no harm. Everything else it leaves to `carefully`, which goes level by level in the order
 * of the manual. That bought 14 of 34 ns for the common case.
 *
 * Not modelled: CR4.SMAP and CR4.PKE (they depend on RFLAGS.AC and PKRU), CR4.LA57, and CR0.PG = 0,
 * where nobody walks. A 64-bit entry is read as two words, not at once: who changes an entry that
 * another core may be walking must stop that core's walks first, as for its TLB.
 * @source Intel SDM vol. 3A 4.5 (walk), 4.6 (access rights), 4.7 (error codes), 4.8 (A and D)
 */

import { assert, type Paddr, type PhysMem } from '@barreleye/core';
import { Access, GENERAL_PROTECTION, PageFlag, type Walker } from '@barreleye/spec';
import { EntryHigh, EntryLow } from './entry.ts';

/** What governs a walk besides CR3. Bits that are not named here have no effect. */
export type ControlRegs = {
  /** Default 0x8001_0011: PG, WP, ET, PE. */
  readonly CR0?: number;
  /** Default 0x20: PAE. SMEP (bit 20) is honoured. */
  readonly CR4?: number;
  /** Default 0x900: NXE, LME. */
  readonly EFER?: number;
  /** Width of physical addresses, CPUID 80000008H EAX[7:0]. Default 52, the most there can be. */
  readonly MAXPHYADDR?: number;
};

/** Names of faults, as in `Walker.faultName`. */
export const FaultName = {
  NotPresent: 'not-present', //  #PF, P clear
  Protection: 'protection', //   #PF, P set
  Reserved: 'reserved', //       #PF, P and RSVD set
  /** The address is not canonical: #GP(0), so there is no page-fault code; `faultCode` is 0. */
  GeneralProtection: GENERAL_PROTECTION,
  /**
   * A table lies outside memory. Hardware reads whatever the bus returns, mostly all ones; we stop
   * there and report the code of the reserved bits that all ones would have hit.
   */
  Bus: 'bus',
} as const;

/** Bits of the error code of a page fault. Intel SDM vol. 3A 4.7, figure 4-12. */
export const ErrorCode = { P: 0x1, WR: 0x2, US: 0x4, RSVD: 0x8, ID: 0x10 } as const;

// Members of imported objects as constants of this module: V8 folds these, but would load the
// members anew in each walk.
const { P, RW, US, A, D, PS, G } = EntryLow;
const { Address: ADDRESS, XD } = EntryHigh;
const { Write, Execute, User } = Access;
const { Read: MAY_READ, Execute: MAY_EXECUTE, NoCache: NO_CACHE } = PageFlag;

const CR0_PG = 0x8000_0000;
const CR0_WP = 0x0001_0000;
const CR4_PAE = 0x20;
const CR4_SMEP = 0x0010_0000;
const EFER_LME = 0x100;
const EFER_NXE = 0x800;

const TWO_32 = 2 ** 32;
const LAST_LEVEL = 3;
/** Index bits of a virtual address as the offset of an entry in 32-bit words. */
const INDEX = 0x3fe;
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
  /** Bits of a high word that must be clear. */
  private readonly reserved: number;
  /** Bits of a table entry's high word that `find` leaves to `carefully`; also all above 4 GiB. */
  private readonly unusual: number;
  /** RW when the supervisor needs it to write, else 0. */
  private readonly supervisorNeeds: number;
  private readonly hasSmep: boolean;
  /** Whether error codes tell fetches from reads. */
  private readonly reportsFetch: boolean;

  constructor(mem: PhysMem, regs: ControlRegs) {
    const { CR0 = 0x8001_0011, CR4 = 0x20, EFER = 0x900, MAXPHYADDR = 52 } = regs;
    assert((CR0 & CR0_PG) !== 0, 'CR0.PG is clear: there is no paging');
    assert((CR4 & CR4_PAE) !== 0, 'CR4.PAE is clear: not 4-level paging');
    assert((EFER & EFER_LME) !== 0, 'EFER.LME is clear: not 4-level paging');
    assert(MAXPHYADDR >= 32 && MAXPHYADDR <= 52, 'MAXPHYADDR out of range');
    assert(mem.bytes <= MEMORY_LIMIT, 'memory too large for a walker');
    assert(mem.origin + mem.bytes <= 2 ** 44, 'memory beyond the reach of a walker');
    const hasNx = (EFER & EFER_NXE) !== 0;
    const noXd = hasNx ? 0 : XD;
    this.words = mem.words;
    this.firstFrame = mem.origin / 4096;
    this.frameCount = mem.bytes / 4096;
    this.reserved = (ADDRESS & -(2 ** (MAXPHYADDR - 32))) | noXd;
    this.unusual = ADDRESS | noXd;
    this.supervisorNeeds = (CR0 & CR0_WP) !== 0 ? RW : 0;
    this.hasSmep = (CR4 & CR4_SMEP) !== 0;
    this.reportsFetch = hasNx || this.hasSmep;
  }

  // Small enough for V8 to inline: in the caller's code addresses then need no heap numbers.
  walk(root: Paddr, va: number, access: number): number {
    const upper = Math.floor(va / 0x1_0000); // bits 16 to 47 and the sign: 32 bits if canonical
    const vaHigh = upper | 0;
    if (vaHigh !== upper) return this.generalProtection();
    const frame = Math.floor(root / 4096) - this.firstFrame;
    if (!(frame >= 0 && frame < this.frameCount)) return this.bus(access);
    if (this.find(frame, vaHigh, va | 0, access) !== FOUND) return FAULT;
    const pa = this.paLow >>> 0;
    const high = this.paHigh;
    return high === 0 ? pa : high * TWO_32 + pa;
  }

  walkWords(root: Paddr, high: number, low: number, access: number): number {
    if ((high << 16) >> 16 !== high) return this.generalProtection();
    const frame = Math.floor(root / 4096) - this.firstFrame;
    if (!(frame >= 0 && frame < this.frameCount)) return this.bus(access);
    return this.find(frame, (high << 16) | (low >>> 16), low, access);
  }

  /** Translate through the table in frame `root` of memory. */
  private find(root: number, vaHigh: number, vaLow: number, access: number): number {
    const { words } = this;
    const firstFrame = this.firstFrame >>> 0; // tells V8 that they are integers
    const frameCount = this.frameCount >>> 0;
    let at = (root << 10) | ((vaHigh >>> 22) & INDEX);
    let all = -1;
    let any = 0;
    let highs = 0;
    for (let shift = 13; shift >= -5; shift -= 9) {
      const entry = words[at >>> 0]!;
      all &= entry;
      any |= entry;
      highs |= words[(at | 1) >>> 0]!;
      const frame = ((entry >>> 12) - firstFrame) >>> 0;
      if (frame >= frameCount) return this.carefully(root, vaHigh, vaLow, access);
      at = (frame << 10) | ((shift < 0 ? vaLow >>> 11 : vaHigh >>> shift) & INDEX);
    }
    const low = words[at >>> 0]!;
    const high = words[(at | 1) >>> 0]!;
    const write = access & Write;
    const needs = P | A | (access & User) | (write << 1); // user: US, write: RW
    const faults =
      (highs & this.unusual) |
      (any & PS) |
      (high & this.reserved) |
      (~(all & low) & needs) |
      (~low & (write << 6)); // write: D
    if (faults !== 0) return this.carefully(root, vaHigh, vaLow, access);
    const noFetch = (highs | high) >>> 31;
    if ((access & Execute) !== 0 && (noFetch !== 0 || (access & User) === 0)) {
      return this.carefully(root, vaHigh, vaLow, access); // supervisor: SMEP decides
    }
    return this.found(12, low, high, all & low, noFetch, vaLow);
  }

  /** A walk to the letter, repeated while another core changes entries under it. */
  private carefully(root: number, vaHigh: number, vaLow: number, access: number): number {
    for (;;) {
      const outcome = this.attempt(root, vaHigh, vaLow, access);
      if (outcome !== RACED) return outcome;
    }
  }

  private attempt(root: number, vaHigh: number, vaLow: number, access: number): number {
    const { words, firstFrame, frameCount } = this;
    let frame = root;
    let rights = -1;
    let highs = 0;
    for (let level = 0; ; level++) {
      const index = (level === LAST_LEVEL ? vaLow >>> 11 : vaHigh >>> (22 - 9 * level)) & INDEX;
      const at = ((frame << 10) | index) >>> 0;
      let low = words[at]!;
      const high = words[at + 1]!;
      const bits = 39 - 9 * level;
      const isPage = level === LAST_LEVEL || (low & PS) !== 0;
      if ((low & P) === 0) return this.notPresent(access);
      if ((high & this.reserved) !== 0) return this.reservedBit(access);
      if (isPage && level === 0) return this.reservedBit(access); // PS in a PML4E
      rights &= low;
      highs |= high;
      // The manual leaves open whether an entry is accessed that maps a page but refuses it. QEMU
      // marks 1 GiB pages in that case and no others; so do we.
      if ((!isPage || level === 1) && (low & A) === 0) {
        if (!this.mark(at, low, A)) return RACED;
        low = (low | A) >>> 0;
      }
      if (isPage) return this.page(at, low, high, rights, highs >>> 31, bits, vaLow, access);
      frame = (((high << 20) | (low >>> 12)) - firstFrame) >>> 0;
      if (frame >= frameCount || (high & BEYOND) !== 0) return this.bus(access);
    }
  }

  /** The entry at `at` maps a page of `2 ** bits` bytes: check rights, mark, translate. */
  private page(
    at: number,
    low: number,
    high: number,
    rights: number,
    noFetch: number,
    bits: number,
    vaLow: number,
    access: number,
  ): number {
    const inPage = (1 << bits) - 1;
    // Address bits below the page size are reserved, except the lowest, PAT.
    if (bits !== 12 && (low & inPage & ~0x1fff) !== 0) return this.reservedBit(access);
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
    return this.found(bits, low | marks, high, rights, noFetch, vaLow);
  }

  /** Say in the fields what the walk found. */
  private found(
    bits: number,
    low: number,
    high: number,
    rights: number,
    noFetch: number,
    vaLow: number,
  ): number {
    let flags = (low >>> 1) & NO_CACHE; // from PCD
    if ((rights & US) !== 0) {
      flags |= MAY_READ | (rights & RW); // RW has the value of PageFlag.Write
      if (noFetch === 0) flags |= MAY_EXECUTE;
    }
    this.pageBits = bits;
    this.pageFlags = flags;
    this.isGlobal = (low & G) !== 0;
    this.isDirty = (low & D) !== 0;
    const inPage = (1 << bits) - 1;
    this.paLow = (low & ~inPage) | (vaLow & inPage);
    this.paHigh = high & ADDRESS;
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

  private generalProtection(): number {
    return this.fault(FaultName.GeneralProtection, 0);
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

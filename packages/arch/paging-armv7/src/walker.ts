/**
 * The walk of an ARMv7 MMU with short descriptors, as privileged or user mode, with the fault
 * status codes of the hardware. It changes nothing: this format has no accessed or dirty bits.
 *
 * Hot code (docs/style.md): 32-bit words, nothing allocated. Faults are found in the order of QEMU,
 * which is not quite the manual's (B3.12): the domain is checked before the second-level entry is
 * read and before the access flag, XN before the access flag, and a manager's access flag not at
 * all.
 *
 * Not modelled: SCTLR.TRE and HA, WXN and UWXN, the security and large physical address extensions
 * (but PXN and 40-bit supersections, which come with the latter, are).
 * @source ARM DDI 0406C B3.5 (walk), B3.7 (access control), B3.13.3 (fault status)
 */

import { assert, type Paddr, type PhysMem } from '@barreleye/core';
import { Access, PageFlag, type Walker } from '@barreleye/spec';
import {
  FirstKind,
  LargePageBits,
  SecondKind,
  SectionBits,
  SmallPageBits,
  supersectionHigh,
  TableBits,
} from './entry.ts';

/** What governs a walk besides TTBR0. Bits that are not named here have no effect. */
export type ControlRegs = {
  /** Two bits a domain: 0 no access, 1 client, 3 manager. Default 0x5555_5555: all clients. */
  readonly DACR?: number;
  /** N in bits 2:0, PD0 and PD1 in bits 4 and 5. Default 0: TTBR0 translates everything. */
  readonly TTBCR?: number;
  /** Table for addresses with any of the top N bits set. Default 0. */
  readonly TTBR1?: number;
  /** AFE in bit 29. Default 0x00c5_0078: AFE clear. */
  readonly SCTLR?: number;
};

/** Fault status FS[4:0] by name; the digit is the level. ARM DDI 0406C B3.13.3. */
export const FaultStatus = {
  'access-flag-1': 0x03,
  'translation-1': 0x05,
  'access-flag-2': 0x06,
  'translation-2': 0x07,
  'domain-1': 0x09,
  'domain-2': 0x0b,
  'external-1': 0x0c, // the first-level table lies outside memory: external abort on the walk
  'permission-1': 0x0d,
  'external-2': 0x0e, // so does the second-level table
  'permission-2': 0x0f,
} as const;

/** Name of a fault, as in `Walker.faultName`. */
export type FaultName = keyof typeof FaultStatus;

const TTBCR_N = 0x7;
const TTBCR_PD0 = 0x10;
const TTBCR_PD1 = 0x20;
const TTBCR_EAE = 0x8000_0000;
const SCTLR_AFE = 0x2000_0000;
const MANAGER = 3;
const ADDRESS_LIMIT = 2 ** 32;
const FAULT = -1;
const FOUND = 0;

const { Read, Write, Execute, NoCache } = PageFlag;
const RX = Read | Execute;
const RW = Read | Write;
const RWX = RW | Execute;
/**
 * What AP[2:0] allows privileged mode, then user mode, when XN is clear: for AFE = 0, and for
 * AFE = 1, where AP[0] is the access flag and nothing is allowed without it.
 * ARM DDI 0406C B3.7.1
 */
const CLASSICAL = [0, RWX, RWX, RWX, 0, RX, RX, RX, 0, 0, RX, RWX, 0, 0, RX, RX];
const SIMPLIFIED = [0, RWX, 0, RWX, 0, RX, 0, RX, 0, 0, 0, RWX, 0, 0, 0, RX];
/** Index of user mode's half. */
const USER = 8;

// Members of imported objects as constants of this module: V8 folds these, but would load the
// members anew in each walk. B and C are at the same place in every kind of page, as are the domain
// of tables and sections, and nG of small and large pages.
const { Fault, Table } = FirstKind;
const { SmallPage } = SecondKind;
const { User } = Access;
const { PXN: TABLE_PXN, Domain: DOMAIN } = TableBits;
const { B, C, XN: SMALL_XN, TEX2: SMALL_TEX2, nG: PAGE_nG } = SmallPageBits;
const { XN: LARGE_XN, TEX2: LARGE_TEX2 } = LargePageBits;
const { PXN: SECTION_PXN, XN: SECTION_XN, TEX2: SECTION_TEX2 } = SectionBits;
const { nG: SECTION_nG, Super: SUPER } = SectionBits;

/** A walker over `mem` under the control registers `regs`, which it keeps for life. */
export function createWalker(mem: PhysMem, regs: ControlRegs = {}): Walker {
  return new ArmWalker(mem, regs);
}

class ArmWalker implements Walker {
  pageBits = 0;
  pageFlags = 0;
  isGlobal = false;
  readonly isDirty = true;
  faultCode = 0;
  faultName = '';
  faultDomain = 0;
  /** The physical address, as signed words: small integers to V8, so nothing is allocated. */
  paLow = 0;
  paHigh = 0;
  private readonly words: Uint32Array;
  private readonly origin: number;
  /** Bytes of memory that a table can be in. */
  private readonly reach: number;
  private readonly DACR: number;
  private readonly TTBCR: number;
  /** Bits of an address that choose TTBR1 when any is set. */
  private readonly upperBits: number;
  private readonly rootBits: number;
  private readonly upperRoot: number;
  private readonly hasAccessFlag: boolean;
  private readonly rights: Uint8Array;

  constructor(mem: PhysMem, regs: ControlRegs) {
    const { DACR = 0x5555_5555, TTBCR = 0, TTBR1 = 0, SCTLR = 0x00c5_0078 } = regs;
    assert((TTBCR & TTBCR_EAE) === 0, 'TTBCR.EAE is set: not short descriptors');
    assert(mem.origin < ADDRESS_LIMIT, 'memory beyond the reach of a walker');
    const n = TTBCR & TTBCR_N;
    this.words = mem.words;
    this.origin = mem.origin;
    this.reach = Math.min(mem.bytes, ADDRESS_LIMIT - mem.origin);
    this.DACR = DACR | 0;
    this.TTBCR = TTBCR | 0;
    this.upperBits = ~(0xffff_ffff >>> n);
    this.rootBits = ~(0x3fff >>> n);
    this.upperRoot = TTBR1 & ~0x3fff;
    this.hasAccessFlag = (SCTLR & SCTLR_AFE) !== 0;
    this.rights = Uint8Array.from(this.hasAccessFlag ? SIMPLIFIED : CLASSICAL);
  }

  /**
   * The low 32 bits of `root` and `va` count, so a signed address will do as well as an unsigned.
   * Small enough for V8 to inline: in the caller's code addresses then need no heap numbers.
   */
  walk(root: Paddr, va: number, access: number): number {
    if (this.find(root | 0, va | 0, access) !== FOUND) return FAULT;
    const pa = this.paLow >>> 0;
    const high = this.paHigh;
    return high === 0 ? pa : high * ADDRESS_LIMIT + pa;
  }

  walkWords(root: Paddr, _high: number, low: number, access: number): number {
    return this.find(root | 0, low, access);
  }

  /** Translate through the table at `root`. Addresses are signed 32-bit words. */
  private find(root: number, va: number, access: number): number {
    const { words } = this;
    const origin = this.origin | 0;
    let table = root & this.rootBits;
    if ((va & this.upperBits) === 0) {
      if ((this.TTBCR & TTBCR_PD0) !== 0) return this.fault('translation-1', 0);
    } else {
      if ((this.TTBCR & TTBCR_PD1) !== 0) return this.fault('translation-1', 0);
      table = this.upperRoot;
    }
    const firstAt = ((table | ((va >>> 18) & 0x3ffc)) - origin) >>> 0;
    if (firstAt >= this.reach) return this.fault('external-1', 0);
    const first = words[firstAt >>> 2]!;
    const kind = first & 3;
    if (kind === Fault) return this.fault('translation-1', 0);
    if (kind !== Table) return this.section(first, va, access);
    const domain = (first & DOMAIN) >>> 5;
    const control = (this.DACR >>> (2 * domain)) & 3;
    if ((control & 1) === 0) return this.fault('domain-2', domain);

    const secondAt = (((first & ~0x3ff) | ((va >>> 10) & 0x3fc)) - origin) >>> 0;
    if (secondAt >= this.reach) return this.fault('external-2', domain);
    const second = words[secondAt >>> 2]!;
    if ((second & 3) === Fault) return this.fault('translation-2', domain);
    const isSmall = (second & SmallPage) !== 0;
    const ap = ((second >>> 4) & 3) | ((second >>> 7) & 4);
    const noFetch = (second & (isSmall ? SMALL_XN : LARGE_XN)) !== 0;
    const userMay = this.rightsOf(control, USER | ap, noFetch);
    const noPrivilegedFetch = noFetch || (first & TABLE_PXN) !== 0;
    const may = isUser(access) ? userMay : this.rightsOf(control, ap, noPrivilegedFetch);
    if ((may & (1 << (access & 3))) === 0) {
      const isFlag = this.isFlagFault(ap, isUser(access) ? noFetch : noPrivilegedFetch, access);
      return this.fault(isFlag ? 'access-flag-2' : 'permission-2', domain);
    }
    const isTex2 = (second & (isSmall ? SMALL_TEX2 : LARGE_TEX2)) !== 0;
    const isGlobal = (second & PAGE_nG) === 0;
    this.paHigh = 0;
    return this.found(isSmall ? 12 : 16, second, va, userMay, isTex2, isGlobal);
  }

  /** The first-level entry maps 1 or 16 MiB. */
  private section(first: number, va: number, access: number): number {
    const isSuper = (first & SUPER) !== 0;
    const domain = isSuper ? 0 : (first & DOMAIN) >>> 5;
    const control = (this.DACR >>> (2 * domain)) & 3;
    if ((control & 1) === 0) return this.fault('domain-1', domain);
    const ap = ((first >>> 10) & 3) | ((first >>> 13) & 4);
    const noFetch = (first & SECTION_XN) !== 0;
    const userMay = this.rightsOf(control, USER | ap, noFetch);
    const noPrivilegedFetch = noFetch || (first & SECTION_PXN) !== 0;
    const may = isUser(access) ? userMay : this.rightsOf(control, ap, noPrivilegedFetch);
    if ((may & (1 << (access & 3))) === 0) {
      const isFlag = this.isFlagFault(ap, isUser(access) ? noFetch : noPrivilegedFetch, access);
      return this.fault(isFlag ? 'access-flag-1' : 'permission-1', domain);
    }
    const isTex2 = (first & SECTION_TEX2) !== 0;
    const isGlobal = (first & SECTION_nG) === 0;
    this.paHigh = isSuper ? supersectionHigh(first) : 0;
    return this.found(isSuper ? 24 : 20, first, va, userMay, isTex2, isGlobal);
  }

  /** What a domain of `control` lets the mode in `USER | AP[2:0]` do, as `PageFlag` bits. */
  private rightsOf(control: number, modeAndAp: number, noFetch: boolean): number {
    if (control === MANAGER) return RWX;
    const may = this.rights[modeAndAp]!;
    return noFetch ? may & RW : may;
  }

  /** Whether a refusal is for want of the access flag. XN goes first. */
  private isFlagFault(ap: number, noFetch: boolean, access: number): boolean {
    if (!this.hasAccessFlag || (ap & 1) !== 0) return false;
    return !(noFetch && (access & Access.Execute) !== 0);
  }

  /** Say in the fields what the walk found. */
  private found(
    bits: number,
    entry: number,
    va: number,
    userMay: number,
    isTex2: boolean,
    isGlobal: boolean,
  ): number {
    // As `isUncached` in entry.ts.
    const isUncached = (entry & C) === 0 && !(isTex2 && (entry & B) !== 0);
    this.pageBits = bits;
    this.pageFlags = isUncached ? userMay | NoCache : userMay;
    this.isGlobal = isGlobal;
    const inPage = (1 << bits) - 1;
    this.paLow = (entry & ~inPage) | (va & inPage);
    return FOUND;
  }

  private fault(name: FaultName, domain: number): number {
    this.faultName = name;
    this.faultCode = FaultStatus[name];
    this.faultDomain = domain;
    return FAULT;
  }
}

function isUser(access: number): boolean {
  return (access & User) !== 0;
}

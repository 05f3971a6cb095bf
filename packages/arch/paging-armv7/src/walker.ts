/**
 * The walk of an ARMv7 MMU with short descriptors, as privileged or user mode, with the fault
 * status codes of the hardware. It changes nothing: this format has no accessed or dirty bits.
 *
 * Hot code (STYLE 7): 32-bit words, nothing allocated. Faults are found in the order of QEMU, which
 * is not quite the manual's (B3.12.2): the domain is checked before the second-level entry is read
 * and before the access flag, XN before the access flag, and a manager's access flag not at all.
 *
 * Not modelled: SCTLR.TRE and HA, WXN and UWXN, the security and large physical address extensions
 * (but PXN and 40-bit supersections, which come with the latter, are).
 * @source ARM DDI 0406C B3.5 (walk), B3.7 (access control), B3.13.3 (fault status)
 */

import { assert, type Paddr, type PhysMem } from '@barreleye/core';
import { Access, PageFlag, type Walker } from '@barreleye/spec';
import {
  FirstKind,
  isUncached,
  LargePageBits,
  type PageBits,
  SecondKind,
  SectionBits,
  SmallPageBits,
  supersectionBase,
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

/** Fault status FS[4:0] by name; the digit is the level. ARM DDI 0406C B3.13.3, table B3-23. */
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

const { Read, Write, Execute, NoCache } = PageFlag;
const RW = Read | Write;
/** What AP[2:0] allows privileged mode, then user mode, AFE = 0. ARM DDI 0406C table B3-8. */
const CLASSICAL = [0, RW, RW, RW, 0, Read, Read, Read, 0, 0, Read, RW, 0, 0, Read, Read];
/** The same for AFE = 1, where AP[0] is the access flag. ARM DDI 0406C table B3-6. */
const SIMPLIFIED = [RW, RW, RW, RW, Read, Read, Read, Read, 0, 0, RW, RW, 0, 0, Read, Read];
/** Index of user mode's half of these tables. */
const USER = 8;

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

  /** The low 32 bits of `va` count, so both a signed and an unsigned address will do. */
  walk(root: Paddr, va: number, access: number): number {
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
    if (kind === FirstKind.Fault) return this.fault('translation-1', 0);
    if (kind !== FirstKind.Table) return this.section(first, va, access);
    const domain = (first & TableBits.Domain) >>> 5;
    const control = (this.DACR >>> (2 * domain)) & 3;
    if ((control & 1) === 0) return this.fault('domain-2', domain);

    const secondAt = (((first & ~0x3ff) | ((va >>> 10) & 0x3fc)) - origin) >>> 0;
    if (secondAt >= this.reach) return this.fault('external-2', domain);
    const second = words[secondAt >>> 2]!;
    if ((second & 3) === SecondKind.Fault) return this.fault('translation-2', domain);
    const isSmall = (second & SecondKind.SmallPage) !== 0;
    const layout = isSmall ? SmallPageBits : LargePageBits;
    const ap = ((second >>> 4) & 3) | ((second >>> 7) & 4);
    const noFetch = (second & layout.XN) !== 0;
    const noPrivilegedFetch = (first & TableBits.PXN) !== 0;
    if (this.isRefused(2, domain, control, ap, noFetch, noPrivilegedFetch, access)) return FAULT;
    const bits = isSmall ? 12 : 16;
    const inPage = (1 << bits) - 1;
    this.found(bits, layout, second, control, ap, noFetch);
    return ((second & ~inPage) | (va & inPage)) >>> 0;
  }

  /** The first-level entry maps 1 or 16 MiB. */
  private section(first: number, va: number, access: number): number {
    const isSuper = (first & SectionBits.Super) !== 0;
    const domain = isSuper ? 0 : (first & SectionBits.Domain) >>> 5;
    const control = (this.DACR >>> (2 * domain)) & 3;
    if ((control & 1) === 0) return this.fault('domain-1', domain);
    const ap = ((first >>> 10) & 3) | ((first >>> 13) & 4);
    const noFetch = (first & SectionBits.XN) !== 0;
    const noPrivilegedFetch = (first & SectionBits.PXN) !== 0;
    if (this.isRefused(1, domain, control, ap, noFetch, noPrivilegedFetch, access)) return FAULT;
    this.found(isSuper ? 24 : 20, SectionBits, first, control, ap, noFetch);
    if (isSuper) return supersectionBase(first) + (va & 0xff_ffff);
    return ((first & 0xfff0_0000) | (va & 0xf_ffff)) >>> 0;
  }

  /** Whether a page at level `level` with these attributes refuses `access`; records the fault. */
  private isRefused(
    level: 1 | 2,
    domain: number,
    control: number,
    ap: number,
    noFetch: boolean,
    noPrivilegedFetch: boolean,
    access: number,
  ): boolean {
    if (control === MANAGER) return false;
    const isUser = (access & Access.User) !== 0;
    const isFetch = (access & Access.Execute) !== 0;
    if (isFetch && (noFetch || (noPrivilegedFetch && !isUser))) {
      this.fault(level === 1 ? 'permission-1' : 'permission-2', domain);
      return true;
    }
    if (this.hasAccessFlag && (ap & 1) === 0) {
      this.fault(level === 1 ? 'access-flag-1' : 'access-flag-2', domain);
      return true;
    }
    const needs = (access & Access.Write) !== 0 ? Write : Read;
    if ((this.rights[isUser ? USER | ap : ap]! & needs) !== 0) return false;
    this.fault(level === 1 ? 'permission-1' : 'permission-2', domain);
    return true;
  }

  /** Say in the fields what the walk found. */
  private found(
    bits: number,
    layout: PageBits,
    entry: number,
    control: number,
    ap: number,
    noFetch: boolean,
  ): void {
    let flags = control === MANAGER ? RW | Execute : this.rights[USER | ap]!;
    if (control !== MANAGER && flags !== 0 && !noFetch) flags |= Execute;
    if (isUncached(layout, entry)) flags |= NoCache;
    this.pageBits = bits;
    this.pageFlags = flags;
    this.isGlobal = (entry & layout.nG) === 0;
  }

  private fault(name: FaultName, domain: number): number {
    this.faultName = name;
    this.faultCode = FaultStatus[name];
    this.faultDomain = domain;
    return FAULT;
  }
}

/**
 * `drive mmu`: walk page tables that the case brings along. The document is a mmu-oracle case; the
 * answers are named as the oracle names QEMU's, so that the two can be compared word for word.
 */

import { alignUp, asPaddr, BASE_PAGE_BITS, KernelPanic, PhysMem } from '@barreleye/core';
import { createWalker as createArmWalker } from '@barreleye/paging-armv7';
import { pagingX86_32, pagingX86_32Pae } from '@barreleye/paging-x86-32';
import { createWalker as createX86Walker } from '@barreleye/paging-x86-64';
import { Access, type Walker } from '@barreleye/spec';
import { z } from 'zod';
import { hexOut, InputError, numeric, parseInput, pattern64, word32 } from './input.ts';

/** QEMU's physical width on x86: entry bits from here up are reserved, as in the oracle. */
const ORACLE_PHYSICAL_BITS = 40;
/** Memory that a case may describe: all of it below this address. */
const MEMORY_LIMIT = 2 ** 34;

/** Names of architectures, those of the oracle. */
const ARCH_NAMES = ['x86_64', 'i386', 'x86_32', 'pae', 'x86_32_pae', 'armv7', 'arm'] as const;

const MemoryItem = z.strictObject({
  base: numeric,
  hex: z
    .string()
    .regex(/^([0-9a-f]{2}\s*)*$/i, 'expected pairs of hexadecimal digits')
    .optional(),
  size: numeric.optional(),
  u32: z.array(word32).optional(),
  u64: z.array(pattern64).optional(),
});

const Probe = z.looseObject({
  va: pattern64,
  access: z.enum(['r', 'w', 'x']),
  user: z.boolean(),
});

const MmuCase = z.looseObject({
  arch: z.enum(ARCH_NAMES),
  root: numeric,
  memory: z.array(MemoryItem),
  regs: z.record(z.string(), numeric).optional(),
  probes: z.array(Probe),
});

type MemoryItem = z.infer<typeof MemoryItem>;
type Regs = Readonly<Record<string, number>>;

/** How one architecture's walker is made and how its faults are told. */
interface MmuKind {
  readonly wordBytes: 4 | 8;
  createWalker(mem: PhysMem, regs: Regs): Walker;
  describeFault(walker: Walker, va: bigint, access: string): object;
}

const x86_64: MmuKind = {
  wordBytes: 8,
  createWalker: (mem, regs) =>
    createX86Walker(mem, { MAXPHYADDR: ORACLE_PHYSICAL_BITS, ...upperCase(regs) }),
  describeFault: ({ faultCode, faultName }, va) =>
    faultName === 'general-protection'
      ? { kind: faultName, code: faultCode }
      : { kind: 'page-fault', code: faultCode, addr: hexOut(va) },
};

const i386: MmuKind = {
  wordBytes: 4,
  createWalker: (mem, regs) =>
    pagingX86_32.createWalker(mem, { MAXPHYADDR: ORACLE_PHYSICAL_BITS, ...upperCase(regs) }),
  describeFault: describeFault32,
};

const pae: MmuKind = {
  wordBytes: 8,
  createWalker: (mem, regs) =>
    pagingX86_32Pae.createWalker(mem, { MAXPHYADDR: ORACLE_PHYSICAL_BITS, ...upperCase(regs) }),
  describeFault: describeFault32,
};

const armv7: MmuKind = {
  wordBytes: 4,
  createWalker: (mem, regs) => createArmWalker(mem, upperCase(regs)),
  describeFault: ({ faultCode, faultName, faultDomain }, va, access) => {
    const isFetch = access === 'x';
    return {
      kind: isFetch ? 'prefetch-abort' : 'data-abort',
      fs: faultCode,
      status: faultName,
      domain: isFetch ? null : faultDomain,
      write: isFetch ? null : access === 'w',
      addr: hexOut(va),
    };
  },
};

const KINDS: Readonly<Record<(typeof ARCH_NAMES)[number], MmuKind>> = {
  x86_64,
  i386,
  x86_32: i386,
  pae,
  x86_32_pae: pae,
  armv7,
  arm: armv7,
};
const ACCESS: Readonly<Record<string, number>> = {
  r: Access.Read,
  w: Access.Write,
  x: Access.Execute,
};

/** Run a case. */
export function driveMmu(document: unknown): unknown {
  const input = parseInput(MmuCase, document);
  const kind = KINDS[input.arch];
  const mem = createMemory(input.memory, input.root);
  for (const [i, item] of input.memory.entries()) {
    clearBelow(mem, item, input.memory.slice(0, i));
    storeItem(mem, item, i);
  }
  const before = input.memory.map((item) => mem.read(asPaddr(item.base), contentBytes(item)));
  const walker = createWalker(kind, mem, input.regs ?? {});
  const probes = input.probes.map(({ va, access, user }) => {
    const how = (ACCESS[access] ?? 0) | (user ? Access.User : 0);
    const pa = walker.walk(asPaddr(input.root), Number(BigInt.asIntN(64, va)), how);
    const asked = { va: hexOut(va), access, user };
    if (pa >= 0) return { ...asked, pa: hexOut(pa) };
    return { ...asked, fault: kind.describeFault(walker, va, access) };
  });
  return { probes, changed: changedWords(mem, input.memory, before, kind.wordBytes) };
}

/** A fault of 32-bit x86, where every fault of a walk is a page fault. */
function describeFault32({ faultCode }: Walker, va: bigint): object {
  return { kind: 'page-fault', code: faultCode, addr: hexOut(BigInt.asUintN(32, va)) };
}

/** A walker, or an InputError when the registers are not those of an MMU that walks. */
function createWalker(kind: MmuKind, mem: PhysMem, regs: Regs): Walker {
  try {
    return kind.createWalker(mem, regs);
  } catch (error) {
    if (error instanceof KernelPanic) throw new InputError(`regs: ${error.message}`);
    throw error;
  }
}

/** Memory that spans everything the case describes. */
function createMemory(items: readonly MemoryItem[], root: number): PhysMem {
  let first = Math.min(root, ...items.map((item) => item.base));
  first -= first % 2 ** BASE_PAGE_BITS;
  let end = first + 2 ** BASE_PAGE_BITS;
  for (const [i, item] of items.entries()) {
    end = Math.max(end, item.base + itemBytes(item));
    if (end > MEMORY_LIMIT) throw new InputError(`memory.${i}: lies above ${hexOut(MEMORY_LIMIT)}`);
  }
  return new PhysMem(new SharedArrayBuffer(alignUp(end - first, BASE_PAGE_BITS)), first);
}

function itemBytes(item: MemoryItem): number {
  return Math.max(item.size ?? 0, contentBytes(item));
}

/** Bytes of an item that are given; the rest of it is zero. */
function contentBytes({ hex, u32 = [], u64 = [] }: MemoryItem): number {
  const digits = hex === undefined ? 0 : hex.replace(/\s/g, '').length;
  return Math.max(digits / 2, 4 * u32.length, 8 * u64.length);
}

/** Zero what earlier items have put where `item` is; the rest of memory is zero already. */
function clearBelow(mem: PhysMem, item: MemoryItem, earlier: readonly MemoryItem[]): void {
  for (const other of earlier) {
    const from = Math.max(item.base, other.base);
    const to = Math.min(item.base + itemBytes(item), other.base + contentBytes(other));
    if (from < to) mem.write(asPaddr(from), new Uint8Array(to - from));
  }
}

/** Store the contents of an item. */
function storeItem(mem: PhysMem, item: MemoryItem, index: number): void {
  const { hex, u32, u64 } = item;
  const kinds = [hex, u32, u64].filter((part) => part !== undefined).length;
  if (kinds > 1 || (kinds === 0 && item.size === undefined)) {
    throw new InputError(`memory.${index}: give one of hex, u32 and u64, or a size`);
  }
  const bytes = Buffer.alloc(contentBytes(item));
  if (hex !== undefined) bytes.write(hex.replace(/\s/g, ''), 'hex');
  for (const [i, word] of (u32 ?? []).entries()) {
    bytes.writeUInt32LE(word, 4 * i);
  }
  for (const [i, word] of (u64 ?? []).entries()) bytes.writeBigUInt64LE(word, 8 * i);
  mem.write(asPaddr(item.base), bytes);
}

/** The table words that differ from `before`: where the walks set accessed and dirty bits. */
function changedWords(
  mem: PhysMem,
  items: readonly MemoryItem[],
  before: readonly Uint8Array[],
  wordBytes: 4 | 8,
): object[] {
  const changed = new Map<number, object>();
  for (const [i, { base }] of items.entries()) {
    const old = Buffer.from(before[i] ?? []);
    const now = Buffer.from(mem.read(asPaddr(base), old.length));
    for (let at = 0; at + wordBytes <= old.length; at += wordBytes) {
      const word = now.subarray(at, at + wordBytes);
      if (word.equals(old.subarray(at, at + wordBytes))) continue;
      const value = wordBytes === 8 ? word.readBigUInt64LE() : word.readUInt32LE();
      changed.set(base + at, { addr: hexOut(base + at), value: hexOut(value) });
    }
  }
  return [...changed.values()];
}

/** Register names as the manuals write them. */
function upperCase(regs: Regs): Regs {
  return Object.fromEntries(Object.entries(regs).map(([name, n]) => [name.toUpperCase(), n]));
}

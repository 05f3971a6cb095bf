/**
 * Fixtures: page tables, and what QEMU's MMU answered to each probe of them. The README says how
 * they were recorded and what their lines mean.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { PhysMem, paddr } from '@barreleye/core';
import { Access, type Walker } from '@barreleye/spec';
import type { ControlRegs } from '../src/index.ts';

export interface Fixture {
  readonly file: string;
  readonly about: string;
  readonly root: string;
  readonly regs: Readonly<Record<keyof ControlRegs, string>>;
  /** `base bytes` of each table. */
  readonly tables: readonly string[];
  /** `address value` of each entry that is not zero. */
  readonly words: readonly string[];
  /** `address value` of each entry that the probes changed. */
  readonly changed: readonly string[];
  /**
   * `[rwx][us] address`, then the physical address, or the fault's name, status and domain (`-` for
   * a fetch: IFSR has no domain).
   */
  readonly probes: readonly string[];
}

const folder = new URL('./fixtures/', import.meta.url);
const kinds: Readonly<Record<string, number>> = {
  r: Access.Read,
  w: Access.Write,
  x: Access.Execute,
};

/** The fixtures whose names begin with `prefix`. */
export function readFixtures(prefix = ''): Fixture[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(prefix))
    .sort()
    .map((file) => ({ file, ...JSON.parse(readFileSync(new URL(file, folder), 'utf8')) }));
}

export function regsOf(fixture: Fixture): ControlRegs {
  return Object.fromEntries(Object.entries(fixture.regs).map(([name, n]) => [name, Number(n)]));
}

/** Memory from the lowest table to the highest, filled in as `fixture` says. */
export function loadTables(fixture: Fixture): PhysMem {
  const spans = fixture.tables.map(numbers);
  const origin = Math.min(...spans.map(([base = 0]) => base));
  const end = Math.max(...spans.map(([base = 0, bytes = 0]) => base + bytes));
  const mem = new PhysMem(new ArrayBuffer(Math.ceil((end - origin) / 4096) * 4096), origin);
  storeWords(mem, fixture.words);
  return mem;
}

/** Store lines of `address value`. */
export function storeWords(mem: PhysMem, lines: readonly string[]): void {
  for (const line of lines) {
    const [address = '', value = ''] = line.split(' ');
    mem.view.setUint32(Number(address) - mem.origin, Number(value), true);
  }
}

/** All entries of `mem` that are not zero, as lines of `address value`. */
export function wordsOf(mem: PhysMem): string[] {
  const lines: string[] = [];
  for (let at = 0; at < mem.bytes; at += 4) {
    const value = mem.view.getUint32(at, true);
    if (value !== 0) lines.push(`0x${(mem.origin + at).toString(16)} 0x${value.toString(16)}`);
  }
  return lines;
}

/** Walk for `probe`, and say what came of it in the words of a fixture. */
export function walkFor(walker: Walker, root: number, probe: string): string {
  const [how = '', va = ''] = probe.split(' ');
  const access = kinds[how.charAt(0)]! | (how.charAt(1) === 'u' ? Access.User : 0);
  const found = walker.walkWords(
    paddr(root),
    Number(BigInt.asIntN(32, BigInt(va) >> 32n)),
    Number(BigInt.asIntN(32, BigInt(va))),
    access,
  );
  const words = walker.paHigh * 2 ** 32 + (walker.paLow >>> 0);
  const pa = walker.walk(paddr(root), Number(va), access);
  if (pa !== (found < 0 ? -1 : words)) return `${probe}: walk and walkWords differ`;
  if (pa >= 0) return `${how} ${va} 0x${pa.toString(16)}`;
  const domain = how.charAt(0) === 'x' ? '-' : walker.faultDomain;
  return `${how} ${va} ${walker.faultName} ${walker.faultCode} ${domain}`;
}

function numbers(line: string): number[] {
  return line.split(' ').map(Number);
}

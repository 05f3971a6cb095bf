/**
 * Page tables made by the package itself: random mappings, the same for the same seed, and probes
 * of them. QEMU has seen these tables too (the fixtures `built-*`).
 */

import { asPaddr, type Paddr, PhysMem, Prng } from '@barreleye/core';
import { PageFlag, type Paging } from '@barreleye/spec';

interface Mapping {
  readonly va: number;
  readonly level: number;
  readonly frame: Paddr;
  readonly flags: number;
}

interface Built {
  readonly mem: PhysMem;
  readonly root: Paddr;
  /** `[rwx]u address`, then the physical address or `fault`, as the mappings say. */
  readonly probes: readonly string[];
}

const ORIGIN = 0x10_0000;
const MEMORY_BYTES = 0x10_0000;
const MAPPING_COUNT = 80;
const PROBE_COUNT = 400;
const ACCESS_LETTERS = 'rwx';

/** Make tables of `paging` from `seed`. */
export function buildTables(paging: Paging, seed: number): Built {
  const random = new Prng(seed);
  const mem = new PhysMem(new ArrayBuffer(MEMORY_BYTES), ORIGIN);
  const tables = new TableRam(mem, paging);
  const root = tables.alloc(0);
  paging.initRoot(mem, root);
  const mappings: Mapping[] = [];
  const gone: number[] = [];
  while (mappings.length < MAPPING_COUNT) {
    const mapping = randomMapping(paging, random);
    const table = tables.tableFor(root, mapping);
    if (table === undefined) continue;
    const { va, level, frame, flags } = mapping;
    const index = paging.entryIndex(level, va);
    paging.writePage(mem, level, table, index, frame, flags);
    if (random.below(8) === 0) {
      paging.clearEntry(mem, level, table, index);
      gone.push(va);
    } else {
      mappings.push(mapping);
    }
  }
  const empty = gone.filter((va) => !mappings.some((mapping) => covers(paging, mapping, va)));
  const probes = [
    ...randomProbes(paging, random, mappings),
    ...empty.map((va) => `ru ${hex(va)} fault`),
  ];
  return { mem, root, probes };
}

/** Hands out tables, one after the other. */
class TableRam {
  private readonly mem: PhysMem;
  private readonly paging: Paging;
  private next = ORIGIN;

  constructor(mem: PhysMem, paging: Paging) {
    this.mem = mem;
    this.paging = paging;
  }

  alloc(level: number): Paddr {
    const bytes = this.paging.levels[level]!.tableBytes;
    const at = Math.ceil(this.next / bytes) * bytes;
    this.next = at + bytes;
    return asPaddr(at);
  }

  /** The table for `mapping`'s page, made if need be; undefined when something is in the way. */
  tableFor(root: Paddr, { va, level }: Mapping): Paddr | undefined {
    const { paging } = this;
    let table = root;
    for (let i = 0; i < level; i++) {
      const index = paging.entryIndex(i, va);
      const entry = paging.readEntry(this.mem, i, table, index);
      if (entry.kind === 'page') return undefined;
      const child = entry.kind === 'table' ? entry.base : this.alloc(i + 1);
      if (entry.kind === 'empty') paging.writeTable(this.mem, i, table, index, child);
      table = child;
    }
    const isTaken = paging.isPresent(this.mem, level, table, paging.entryIndex(level, va));
    return isTaken ? undefined : table;
  }
}

function randomMapping(paging: Paging, random: Prng): Mapping {
  const last = paging.levels.length - 1;
  const level = random.below(3) === 0 ? last - 1 : last;
  let va = 0;
  for (let i = 0; i <= level; i++) {
    const { spanBits, reservedFrom } = paging.levels[i]!;
    // Few different tables, so that mappings meet in them.
    va += random.below(i === level ? reservedFrom : Math.min(4, reservedFrom)) * 2 ** spanBits;
  }
  const { spanBits } = paging.levels[level]!;
  // 512 MiB to 3.5 GiB; where an entry can say so, also 4 to 63 GiB.
  const isLow = random.below(2) === 0 || (paging.levels[level]!.entryBytes === 4 && level === last);
  const base = isLow ? 0x2000_0000 : 2 ** 32;
  const span = isLow ? 0xc000_0000 : 59 * 2 ** 30;
  const frame = asPaddr(base + random.below(span / 2 ** spanBits) * 2 ** spanBits);
  return { va, level, frame, flags: random.below(16) };
}

function randomProbes(paging: Paging, random: Prng, mappings: readonly Mapping[]): string[] {
  const probes: string[] = [];
  for (let i = 0; i < PROBE_COUNT; i++) {
    const mapping = mappings[random.below(mappings.length)]!;
    const bytes = 2 ** paging.levels[mapping.level]!.spanBits;
    const offset = random.below(bytes / 4) * 4;
    const letter = ACCESS_LETTERS.charAt(random.below(3));
    const came = allowed(paging, mapping).includes(letter) ? hex(mapping.frame + offset) : 'fault';
    probes.push(`${letter}u ${hex(mapping.va + offset)} ${came}`);
  }
  return probes;
}

/** What `mapping` lets user mode do, in the letters of probes. 32-bit paging cannot refuse `x`. */
function allowed({ name }: Paging, { flags }: Mapping): string {
  const { Read, Write, Execute } = PageFlag;
  if ((flags & (Read | Write | Execute)) === 0) return '';
  const canExecute = name === 'x86_32' || (flags & Execute) !== 0;
  return `r${(flags & Write) !== 0 ? 'w' : ''}${canExecute ? 'x' : ''}`;
}

function covers(paging: Paging, { va, level }: Mapping, other: number): boolean {
  return other >= va && other < va + 2 ** paging.levels[level]!.spanBits;
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}

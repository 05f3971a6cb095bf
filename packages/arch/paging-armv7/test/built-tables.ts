/**
 * Page tables made by the package itself: random mappings, the same for the same seed, and probes
 * of them. QEMU has seen these tables too (the fixtures `built-*`).
 */

import { asPaddr, type Paddr, PhysMem, Prng } from '@barreleye/core';
import { PageFlag } from '@barreleye/spec';
import { pagingArmv7 as paging } from '../src/index.ts';

interface Mapping {
  readonly va: number;
  readonly level: number;
  readonly pageBits: number;
  readonly frame: Paddr;
  readonly flags: number;
}

interface Built {
  readonly mem: PhysMem;
  readonly root: Paddr;
  /** `[rwx]u address`, then the physical address or `fault`, as the mappings say. */
  readonly probes: readonly string[];
}

const ORIGIN = 0x8000_0000;
const MEMORY_BYTES = 0x10_0000;
const MAPPING_COUNT = 80;
const PROBE_COUNT = 400;
const ACCESS_LETTERS = 'rwx';

/** Make tables from `seed`. */
export function buildTables(seed: number): Built {
  const random = new Prng(seed);
  const mem = new PhysMem(new ArrayBuffer(MEMORY_BYTES), ORIGIN);
  const tables = new TableRam(mem);
  const root = tables.alloc(0);
  paging.initRoot(mem, root);
  const mappings: Mapping[] = [];
  const gone: number[] = [];
  while (mappings.length < MAPPING_COUNT) {
    const mapping = randomMapping(random);
    const table = tables.tableFor(root, mapping);
    if (table === undefined) continue;
    const { va, level, pageBits, frame, flags } = mapping;
    const isGone = random.below(8) === 0;
    for (const index of entriesOf(mapping)) {
      paging.writePage(mem, level, table, index, frame, flags, pageBits);
      if (isGone) paging.clearEntry(mem, level, table, index);
    }
    if (isGone) {
      gone.push(va);
    } else {
      mappings.push(mapping);
    }
  }
  const empty = gone.filter((va) => !mappings.some((mapping) => covers(mapping, va)));
  const probes = [...randomProbes(random, mappings), ...empty.map((va) => `ru ${hex(va)} fault`)];
  return { mem, root, probes };
}

/** Hands out tables, one after the other. */
class TableRam {
  private readonly mem: PhysMem;
  private next = ORIGIN;

  constructor(mem: PhysMem) {
    this.mem = mem;
  }

  alloc(level: number): Paddr {
    const bytes = paging.levels[level]!.tableBytes;
    const at = Math.ceil(this.next / bytes) * bytes;
    this.next = at + bytes;
    return asPaddr(at);
  }

  /** The table for `mapping`'s page, made if need be; undefined when something is in the way. */
  tableFor(root: Paddr, mapping: Mapping): Paddr | undefined {
    const { va, level } = mapping;
    let table = root;
    for (let i = 0; i < level; i++) {
      const index = paging.entryIndex(i, va);
      const entry = paging.readEntry(this.mem, i, table, index);
      if (entry.kind === 'page') return undefined;
      const child = entry.kind === 'table' ? entry.base : this.alloc(i + 1);
      if (entry.kind === 'empty') paging.writeTable(this.mem, i, table, index, child);
      table = child;
    }
    const isTaken = entriesOf(mapping).some((i) => paging.isPresent(this.mem, level, table, i));
    return isTaken ? undefined : table;
  }
}

/** The entries that a mapping takes: one, or sixteen. */
function entriesOf({ va, level, pageBits }: Mapping): number[] {
  const first = paging.entryIndex(level, va);
  const count = 2 ** (pageBits - paging.levels[level]!.spanBits);
  return Array.from({ length: count }, (_, i) => first + i);
}

function randomMapping(random: Prng): Mapping {
  const level = random.below(4) === 0 ? 0 : 1;
  let va = 0;
  for (let i = 0; i <= level; i++) {
    const { spanBits, reservedFrom } = paging.levels[i]!;
    // Few different tables, so that mappings meet in them.
    va += random.below(i === level ? reservedFrom : 4) * 2 ** spanBits;
  }
  const { spanBits } = paging.levels[level]!;
  const pageBits = random.below(3) === 0 ? spanBits + paging.repeatBits : spanBits;
  va -= va % 2 ** pageBits;
  // 512 MiB to 3.5 GiB, around the tables.
  const base = random.below(2) === 0 ? 0x2000_0000 : 0x9000_0000;
  const above = pageBits === 24 ? random.below(16) * 2 ** 32 : 0; // supersections reach further
  const inSpan = random.below(0x5000_0000 / 2 ** pageBits) * 2 ** pageBits;
  const frame = asPaddr(above + base + inSpan);
  return { va, level, pageBits, frame, flags: random.below(16) };
}

function randomProbes(random: Prng, mappings: readonly Mapping[]): string[] {
  const probes: string[] = [];
  for (let i = 0; i < PROBE_COUNT; i++) {
    const mapping = mappings[random.below(mappings.length)]!;
    const bytes = 2 ** mapping.pageBits;
    const offset = random.below(bytes / 4) * 4;
    const letter = ACCESS_LETTERS.charAt(random.below(3));
    const came = allowed(mapping).includes(letter) ? hex(mapping.frame + offset) : 'fault';
    probes.push(`${letter}u ${hex(mapping.va + offset)} ${came}`);
  }
  return probes;
}

/** What `mapping` lets user mode do, in the letters of probes. */
function allowed({ flags }: Mapping): string {
  const { Read, Write, Execute } = PageFlag;
  const r = (flags & (Read | Write | Execute)) !== 0 ? 'r' : '';
  return r + ((flags & Write) !== 0 ? 'w' : '') + ((flags & Execute) !== 0 ? 'x' : '');
}

function covers({ va, pageBits }: Mapping, other: number): boolean {
  return other >= va && other < va + 2 ** pageBits;
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}

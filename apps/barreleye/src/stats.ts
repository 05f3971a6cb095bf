/** Figures of a finished run. Virtual and host time stand in separate lines, never in one. */

import { createHash } from 'node:crypto';
import { offset, type Ptr } from '@barreleye/core';
import type { Bus } from '@barreleye/machine';
import { Kcb } from '@barreleye/spec';

const PAGE_BYTES = 4096;

/** What memory holds: how much of it was ever used, and a hash of all of it. */
interface MemoryDigest {
  /** Bytes of pages that are not all zero. */
  readonly committedBytes: number;
  /** Over address and contents of those pages, in address order. */
  readonly sha256: string;
}

/** Digest the RAM of a machine. */
function digestMemory({ mem, ram }: Bus): MemoryDigest {
  const hash = createHash('sha256');
  const address = Buffer.alloc(8);
  let committedBytes = 0;
  for (const range of ram) {
    for (let at = 0; at < range.bytes; at += PAGE_BYTES) {
      const page = offset(range.base, at);
      if (mem.isZero(page, PAGE_BYTES)) continue;
      committedBytes += PAGE_BYTES;
      address.writeBigUInt64LE(BigInt(page));
      hash.update(address).update(mem.read(page, PAGE_BYTES));
    }
  }
  return { committedBytes, sha256: hash.digest('hex') };
}

/** A machine whose run is over. */
export interface FinishedMachine {
  /** The core furthest in time. */
  readonly cycles: number;
  readonly bus: Bus;
  /** Control block of the bootstrap core. */
  readonly kcb: Ptr<'Kcb'>;
  /** Whether another run with the same seed and input leaves the same memory. */
  readonly isRepeatable: boolean;
}

/** The lines that `--stats` prints. `hostMs` is measured by the caller, from process start. */
export function formatStats(machine: FinishedMachine, hostMs: number): string {
  const { cycles, bus, kcb, isRepeatable } = machine;
  const { mem } = bus;
  const { committedBytes, sha256 } = digestMemory(bus);
  const hash: readonly [string, string][] = isRepeatable ? [['memory sha256', sha256]] : [];
  const rows: readonly (readonly [string, string | number])[] = [
    ['cycles', cycles],
    ['kernel entries', Kcb.kernelEntries.get(mem, kcb)],
    ['system calls', Kcb.systemCalls.get(mem, kcb)],
    ['memory committed', committedBytes],
    ...hash,
    ['host ms', hostMs.toFixed(0)],
  ];
  return rows.map(([key, value]) => `${key}: ${value}\n`).join('');
}

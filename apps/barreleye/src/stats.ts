/** Figures of a finished run. Virtual and host time stand in separate lines, never in one. */

import { createHash } from 'node:crypto';
import type { System } from '@barreleye/boot';
import { offset } from '@barreleye/core';
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
function digestMemory({ machine }: System): MemoryDigest {
  const { mem, bus } = machine;
  const hash = createHash('sha256');
  const address = Buffer.alloc(8);
  let committedBytes = 0;
  for (const range of bus.ram) {
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

/** The lines that `--stats` prints. `hostMs` is measured by the caller, from process start. */
export function formatStats(system: System, hostMs: number): string {
  const { machine, driver } = system;
  const { mem, kcb } = driver.kernel;
  const digest = digestMemory(system);
  const rows: readonly (readonly [string, string | number])[] = [
    ['cycles', machine.cycles],
    ['kernel entries', Kcb.kernelEntries.get(mem, kcb)],
    ['system calls', Kcb.systemCalls.get(mem, kcb)],
    ['memory committed', digest.committedBytes],
    ['memory sha256', digest.sha256],
    ['host ms', hostMs.toFixed(0)],
  ];
  return rows.map(([key, value]) => `${key}: ${value}\n`).join('');
}

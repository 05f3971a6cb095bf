/**
 * The topology in the boot information, behind the regions: what each package is, and then a byte
 * for each core, the number of its package. The machine's firmware would know this from tables of
 * its own (ACPI SRAT and SLIT on a PC).
 */

import { assert, fromWords, highWord, layout, lowWord, u64, words } from '@barreleye/core';
import { BOOTINFO_REGION_COUNT, bootRegionOffset } from './bootinfo.ts';
import { MAX_PACKAGES, MAX_TOPOLOGY_CORES, type PackageRam, type Topology } from './topology.ts';

/** One package of cores. */
export const BootPackage = layout('BootPackage', 24, {
  ramBase: u64(0), // its part of RAM, the board's holes included
  ramEnd: u64(8),
  hops: words(16, 2), // links to each package, a byte each
});

/** Where it all begins in the boot information. */
export const BOOT_TOPOLOGY_OFFSET = bootRegionOffset(BOOTINFO_REGION_COUNT);
/** Where the bytes of cores begin in it. */
const CORES_AT = MAX_PACKAGES * BootPackage.$bytes;
export const BOOT_TOPOLOGY_BYTES = CORES_AT + MAX_TOPOLOGY_CORES;

/** What the boot information says about packages. */
export interface BootTopology {
  readonly topology: Topology;
  /** By package. */
  readonly packageRam: readonly PackageRam[];
}

/** The bytes of a topology. `BootInfo.packageCount` says how many packages there are. */
export function packBootTopology({ topology, packageRam }: BootTopology): Uint8Array {
  const { packageOf, hops } = topology;
  assert(hops.length <= MAX_PACKAGES, 'the topology has too many packages');
  assert(packageOf.length <= MAX_TOPOLOGY_CORES, 'the topology has too many cores');
  assert(packageRam.length === hops.length, 'every package has its part of RAM');
  const bytes = new Uint8Array(BOOT_TOPOLOGY_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, { base, end }] of packageRam.entries()) {
    const at = i * BootPackage.$bytes;
    for (const [offset, value] of [
      [BootPackage.ramBase.offset, base],
      [BootPackage.ramEnd.offset, end],
    ] as const) {
      view.setUint32(at + offset, lowWord(value), true);
      view.setUint32(at + offset + 4, highWord(value), true);
    }
    bytes.set(hops[i] ?? [], at + BootPackage.hops.offset);
  }
  bytes.set(packageOf, CORES_AT);
  return bytes;
}

/** A topology of `packageCount` packages and `coreCount` cores from its bytes. */
export function unpackBootTopology(
  bytes: Uint8Array,
  packageCount: number,
  coreCount: number,
): BootTopology {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const hops: number[][] = [];
  const packageRam: PackageRam[] = [];
  for (let i = 0; i < packageCount; i++) {
    const at = i * BootPackage.$bytes;
    const load64 = (offset: number): number =>
      fromWords(view.getUint32(at + offset, true), view.getUint32(at + offset + 4, true));
    const base = load64(BootPackage.ramBase.offset);
    packageRam.push({ base, end: load64(BootPackage.ramEnd.offset) });
    const hopsAt = at + BootPackage.hops.offset;
    hops.push([...bytes.subarray(hopsAt, hopsAt + packageCount)]);
  }
  const packageOf = [...bytes.subarray(CORES_AT, CORES_AT + coreCount)];
  return { topology: { packageOf, hops }, packageRam };
}

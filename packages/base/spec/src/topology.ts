/**
 * Which cores are near to each other: cores that share a package, and how far packages are from
 * one another. The machine charges by it, and who sends to many cores plans by it.
 */

/** Where the cores of a machine are. */
export interface Topology {
  /** The package of each core, by core number. */
  readonly packageOf: readonly number[];
  /** Links on the shortest way from one package to another: `hops[from][to]`. */
  readonly hops: readonly (readonly number[])[];
}

/** RAM of one package, from `base` up to `end`; there may be a hole of the board in it. */
export interface PackageRam {
  readonly base: number;
  readonly end: number;
}

/** Packages of the largest topology. */
export const MAX_PACKAGES = 8;
/** Cores of the largest topology. */
export const MAX_TOPOLOGY_CORES = 64;

/** Packages, numbered from 0. */
export function packageCount({ hops }: Topology): number {
  return hops.length;
}

/** The package of a core. A core that the topology does not know counts to the first. */
export function packageOfCore({ packageOf }: Topology, core: number): number {
  return packageOf[core] ?? 0;
}

/** Links between two packages. */
export function packageHops({ hops }: Topology, from: number, to: number): number {
  return hops[from]?.[to] ?? 0;
}

/** Links between the packages of two cores; 0 if they share one. */
export function coreHops(topology: Topology, from: number, to: number): number {
  return packageHops(topology, packageOfCore(topology, from), packageOfCore(topology, to));
}

/** The names of the system: a registry of service references. */

import type { NameInfo } from '@barreleye/program';
import { Registry } from './registry.ts';

/** What a name stands for. */
export interface Entry {
  readonly iref: number;
  readonly interfaceName: string;
  /** Whose service it is: core, and number there. */
  readonly core: number;
  readonly domainId: number;
}

/** Who registers: each connection is an owner. */
export type Directory = Registry<object, Entry>;

/** An empty one. */
export function createDirectory(maxNamesPerOwner?: number): Directory {
  return new Registry(maxNamesPerOwner);
}

/** Names that are taken, as a client sees them. */
export function listNames(
  directory: Directory,
  listing: Parameters<Directory['list']>[0],
): NameInfo[] {
  return directory.list(listing).map(({ name, entry: { interfaceName, core, domainId } }) => {
    return { name, interfaceName, core, domainId };
  });
}

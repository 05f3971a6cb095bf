/** Who makes a domain, and what it is to be. */

import type { Capref, Sys } from '@barreleye/libos';
import type { MemorySource, TableShape, Vspace } from '@barreleye/paging';
import type { CopyableTypeName, MappableTypeName } from '@barreleye/spec';

/** Whoever makes domains: system calls, memory, and an address space to look at frames in. */
export interface Spawner {
  readonly sys: Sys;
  readonly source: MemorySource;
  readonly vspace: Vspace;
  /** Page tables of the core. */
  readonly paging: TableShape;
}

export interface SpawnRequest {
  /** For people, at most 16 characters of ASCII. */
  readonly name: string;
  /** The page of gates of a program. */
  readonly image: Capref<MappableTypeName>;
  /** Its identity, which it gets a copy of; left out, it belongs to the spawner's domain. */
  readonly domain?: Capref<'Domain'>;
  /** What the program is told; by custom the first argument is its name. None, if left out. */
  readonly args?: readonly string[];
  /** NAME=value. */
  readonly environment?: readonly string[];
  /** Copied into its argument CNode, in this order; at most `L2_CNODE_SLOTS`. */
  readonly caps?: readonly Capref<CopyableTypeName>[];
  /** Copied into slots of its task CNode. */
  readonly taskCaps?: readonly (readonly [slot: number, cap: Capref<CopyableTypeName>])[];
}

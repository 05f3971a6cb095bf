/**
 * A board: which cores, how much RAM where, which devices. Each board is one file with its memory
 * map; nothing else in the project names a base address of a machine.
 */

import type { PhysRange } from '@barreleye/core';
import type { Arch, DeviceClass } from '@barreleye/spec';

/** A device of a board. */
export interface BoardDevice {
  /** Name in the boot information, printable ASCII. */
  readonly name: string;
  readonly class: DeviceClass;
  readonly base: number;
  /** Bytes of its window; whole pages, so that it can be mapped alone. */
  readonly bytes: number;
  /** Interrupt line, 0 for none. */
  readonly irq: number;
}

export interface Board {
  readonly name: string;
  readonly arch: Arch;
  /** Cycles per second. */
  readonly frequency: number;
  readonly minRamBytes: number;
  readonly defaultRamBytes: number;
  readonly maxRamBytes: number;
  readonly maxCores: number;
  /** Where `ramBytes` bytes of RAM lie, in address order; whole pages. */
  ramRanges(ramBytes: number): PhysRange[];
  readonly devices: readonly BoardDevice[];
}

/** What an app says of the cores of a machine, in each of their threads. */

import type { CoreId, Paddr, PhysMem } from '@barreleye/core';
import type { CoreParts, DriverLoader, Firmware } from '@barreleye/machine';

export interface CoreSetup extends CoreParts {
  /** What a core does first. */
  readonly firmware: Firmware;
  /** What a core does when its CPU driver is to be replaced. */
  readonly loadDriver: DriverLoader;
  /** Whether the firmware of `core` would make sense of the page at `page`. */
  readonly accepts: (mem: PhysMem, core: CoreId, page: Paddr) => boolean;
}

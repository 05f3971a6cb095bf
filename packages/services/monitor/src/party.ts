/** A domain, as its monitor sees it. */

import type { Result } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';

/** Memory that a domain pays for, and that stays when it ends, until it is released. */
export interface Held {
  /** Whole pages. */
  readonly ram: Capref<'RAM'>;
  /** Nothing is made of the RAM any more. */
  release(): void;
}

export interface Party {
  /** Its number on this core. */
  readonly id: number;
  /** Have RAM charged to it. @errors INIT_ERR_QUOTA; those of the allocator */
  hold(bytes: number): Result<Held>;
}

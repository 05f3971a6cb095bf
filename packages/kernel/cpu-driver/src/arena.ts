/** Memory that the boot loader has set aside, handed out from bottom to top, once, at start-up. */

import { assert, type Paddr, paddr } from '@barreleye/core';

export class Arena {
  private at: number;
  private readonly end: number;

  constructor(base: Paddr, bytes: number) {
    this.at = base;
    this.end = base + bytes;
  }

  /** `bytes` bytes at a multiple of `alignBytes`. Panics when the arena is used up. */
  take(bytes: number, alignBytes: number): Paddr {
    const base = Math.ceil(this.at / alignBytes) * alignBytes;
    assert(base + bytes <= this.end, 'the boot loader set too little memory aside');
    this.at = base + bytes;
    return paddr(base);
  }
}

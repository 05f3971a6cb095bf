/** The two formats, by the name that fixtures have for them. */

import type { PhysMem } from '@barreleye/core';
import type { Paging, Walker } from '@barreleye/spec';
import { type ControlRegs, pagingX86_32, pagingX86_32Pae } from '../src/index.ts';

export interface Format {
  readonly name: 'i386' | 'pae';
  readonly paging: Paging & { createWalker(mem: PhysMem, regs?: ControlRegs): Walker };
}

export const FORMATS: readonly Format[] = [
  { name: 'i386', paging: pagingX86_32 },
  { name: 'pae', paging: pagingX86_32Pae },
];

/** The target `x86_32`: a 32-bit PC, its page tables of either kind, and what it boots. */

import { programFiles, type Target } from '@barreleye/boot';
import { programImage } from '@barreleye/libos';
import { boardPc32 } from '@barreleye/machine';
import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_32, pagingX86_32Pae } from '@barreleye/paging-x86-32';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { programs } from '@barreleye/programs';
import type { Paging } from '@barreleye/spec';
import { systemPrograms } from '@barreleye/userland';

/** What the boot loader needs to boot a 32-bit PC with PAE. */
export const targetX86_32: Target = targetWith(pagingX86_32Pae);

/** The same PC with the two-level page tables of 32-bit paging. */
export const targetX86_32NoPae: Target = targetWith(pagingX86_32);

function targetWith(paging: Paging): Target {
  return {
    name: 'x86_32',
    board: boardPc32,
    paging,
    foreignFormats: [pagingX86_64, pagingArmv7],
    ...programFiles('/x86_32/sbin', systemPrograms({ paging }, programs)),
    imageOf: (index, program) => programImage(boardPc32.arch, index, program.name),
  };
}

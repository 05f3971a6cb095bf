/** The target `x86_64`: a 64-bit PC, its page tables, and the programs that it boots. */

import { programFiles, type Target } from '@barreleye/boot';
import { programImage } from '@barreleye/libos';
import { boardPc64 } from '@barreleye/machine';
import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_32Pae } from '@barreleye/paging-x86-32';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { programs } from '@barreleye/programs';
import { systemPrograms } from '@barreleye/userland';

/** What the boot loader needs to boot a PC. */
export const targetX86_64: Target = {
  name: 'x86_64',
  board: boardPc64,
  paging: pagingX86_64,
  foreignFormats: [pagingX86_32Pae, pagingArmv7],
  ...programFiles('/x86_64/sbin', systemPrograms({ paging: pagingX86_64 }, programs)),
  imageOf: (index, program) => programImage(boardPc64.arch, index, program.name),
};

/** The target `armv7`: a Versatile Express board, its page tables, and what it boots. */

import { programFiles, type Target } from '@barreleye/boot';
import { programImage } from '@barreleye/libos';
import { boardVexpress } from '@barreleye/machine';
import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_32Pae } from '@barreleye/paging-x86-32';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { programs } from '@barreleye/programs';
import { systemPrograms } from '@barreleye/userland';

/** What the boot loader needs to boot a Versatile Express board. */
export const targetArmv7: Target = {
  name: 'armv7',
  board: boardVexpress,
  paging: pagingArmv7,
  foreignFormats: [pagingX86_64, pagingX86_32Pae],
  ...programFiles('/armv7/sbin', systemPrograms({ paging: pagingArmv7 }, programs)),
  imageOf: (index, program) => programImage(boardVexpress.arch, index, program.name),
};

/** An x86_64 machine with programs of a bench instead of a system. */
import { type BootWishes, bootTarget, type System, withPrograms } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import type { Program } from '@barreleye/spec';

/** Boot it; the least RAM that it takes, if left out. The first program is the first domain. */
export function bootPrograms(
  programs: readonly Program[],
  ramBytes = targetX86_64.board.minRamBytes,
  wishes: BootWishes = {},
): System {
  const booted = bootTarget(withPrograms(targetX86_64, programs), { ...wishes, ramBytes });
  if (!booted.ok) throw new Error(booted.message);
  return booted.system;
}

/** Booting a target as it is, or with other programs than its own. */

import type { Program } from '@barreleye/spec';
import type { BootOptions, Target } from './boot-options.ts';
import { parseMenu } from './menu.ts';
import { type BootResult, bootSystem } from './system.ts';

/** What of `BootOptions` a target does not say: one core, the least RAM and seed 1, if left out. */
export type BootWishes = Partial<Omit<BootOptions, 'target' | 'menu'>>;

/** Boot a target from its own menu. @errors those of `parseMenu` and `bootSystem` */
export function bootTarget(target: Target, wishes: BootWishes = {}): BootResult {
  const parsed = parseMenu(target.menu, 'menu.lst');
  if (!parsed.ok) return parsed;
  const { minRamBytes: ramBytes } = target.board;
  return bootSystem({ target, menu: parsed.menu, coreCount: 1, ramBytes, seed: 1, ...wishes });
}

/**
 * A target with these programs and no others: the first is its first domain, the images of the
 * rest are boot modules behind its own. Their names are words.
 */
export function withPrograms(target: Target, programs: readonly Program[]): Target {
  return { ...target, ...programFiles('', programs) };
}

/** Files and menu of a target that boots these programs, the first as its first domain. */
export function programFiles(
  folder: string,
  programs: readonly Program[],
): Pick<Target, 'menu' | 'cpuDriver' | 'files'> {
  const cpuDriver = `${folder}/cpu`;
  const files = new Map(programs.map((program) => [`${folder}/${program.name}`, { program }]));
  const modules = [...files.keys()].map((path) => `module ${path}\n`).join('');
  return { menu: `title Barreleye\ncpudriver ${cpuDriver}\n${modules}`, cpuDriver, files };
}

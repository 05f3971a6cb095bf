/** The programs that can be started: boot modules by the last part of their paths. */

import { type Capref, capref } from '@barreleye/libos';
import type { BootView } from '@barreleye/monitor';
import { RegionType, RootSlot } from '@barreleye/spec';

export interface BootProgram {
  readonly name: string;
  readonly image: Capref<'DevFrame'>;
  /** Arguments that the boot menu gives it, without its name. */
  readonly args: readonly string[];
}

/** The boot modules behind init, in the order of the menu; of two of a name the first counts. */
export function readPrograms(boot: BootView): ReadonlyMap<string, BootProgram> {
  const programs = new Map<string, BootProgram>();
  const modules = boot.regions.filter(({ type }) => type === RegionType.Module);
  for (const { slot, name: line } of modules.slice(1)) {
    const [path = '', ...args] = splitWords(line);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!programs.has(name))
      programs.set(name, { name, image: capref(RootSlot.ModuleCn, slot), args });
  }
  return programs;
}

/** Words, which spaces separate; double quotes keep spaces. */
function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (const char of line) {
    if (char === '"') {
      isQuoted = !isQuoted;
      word ??= '';
    } else if (char === ' ' && !isQuoted) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

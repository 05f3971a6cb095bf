/** The programs of a system, linked for a machine: init first, because it is the first domain. */

import { createInit } from '@barreleye/init';
import { nameservice } from '@barreleye/nameservice';
import type { AppProgram, Platform } from '@barreleye/program';
import { shell } from '@barreleye/shell';
import type { Program } from '@barreleye/spec';
import { terminal } from '@barreleye/terminal';

/** init, the services that it starts, and `others`, which people start. */
export function systemPrograms(
  platform: Platform,
  others: readonly AppProgram[] = [],
): readonly Program[] {
  const linked = [nameservice, terminal, shell, ...others].map((each) => each.link(platform));
  return [createInit(platform), ...linked];
}

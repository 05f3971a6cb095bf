/** The power switch, which the shell of the system is given. */

import { BASE_PAGE_SIZE } from '@barreleye/core';
import { capIdentify, unwrap, type Wait } from '@barreleye/libos';
import type { ProgramOs } from '@barreleye/program';
import { PageFlag, PowerReg } from '@barreleye/spec';
import type { Power } from './shell.ts';

/** Which of its argument capabilities shows the registers of the switch. */
const POWER_CAP = 0;

/** Map the power switch; undefined: this shell was not given it. */
export function* createPower(os: ProgramOs): Wait<Power | undefined> {
  const frame = os.argCap<'DevFrame'>(POWER_CAP);
  const held = capIdentify(os.sys, frame);
  if (!held.ok || held.value.type !== 'DevFrame') return undefined;
  yield* os.memory.reserve(0);
  const flags = PageFlag.Read | PageFlag.Write | PageFlag.NoCache;
  const request = { frame, bytes: BASE_PAGE_SIZE, flags, name: 'power' };
  const { base } = unwrap(os.memory.vspace.map(request));
  return {
    off: (exitCode) => void os.sys.cpu.store32(base + PowerReg.OFF, exitCode),
  };
}

/** All commands, in the order in which help shows them. */

import type { Command } from './command.ts';
import { alloc, free } from './commands/alloc.ts';
import { caps } from './commands/caps.ts';
import { core } from './commands/core.ts';
import { cores } from './commands/cores.ts';
import { echo, history, set, unset } from './commands/echo.ts';
import { help } from './commands/help.ts';
import { jobs, wait } from './commands/jobs.ts';
import { kill, resume, suspend } from './commands/kill.ts';
import { exit, ticks } from './commands/machine.ts';
import { mem } from './commands/mem.ts';
import { names } from './commands/names.ts';
import { on } from './commands/on.ts';
import { peek, poke } from './commands/peek.ts';
import { ps } from './commands/ps.ts';
import { programs, run } from './commands/run.ts';
import { threads } from './commands/threads.ts';
import { repeat, time } from './commands/time.ts';
import { ump } from './commands/ump.ts';
import { vm } from './commands/vm.ts';

export const COMMANDS: readonly Command[] = [
  ...[run, on, programs, jobs, wait, time, repeat],
  ...[ps, kill, suspend, resume, threads, caps, vm, names],
  ...[mem, alloc, free, peek, poke],
  ...[cores, core, ump, ticks, exit],
  ...[help, history, echo, set, unset],
];

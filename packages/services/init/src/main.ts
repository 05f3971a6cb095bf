/**
 * init, the first domain: owns all memory and devices, and talks to whoever sits at the console.
 * This file is its chapter list.
 */

import { formatBytes } from '@barreleye/core';
import type { Os, Wait } from '@barreleye/libos';
import { program } from '@barreleye/libos';
import type { Paging, Program } from '@barreleye/spec';
import { Blocks } from './blocks.ts';
import { type BootView, readBootInfo } from './boot-info.ts';
import { caps } from './commands/caps.ts';
import { createHelp } from './commands/help.ts';
import { cores, exit, ticks } from './commands/machine.ts';
import { alloc, free, mem } from './commands/mem.ts';
import { peek, poke } from './commands/peek.ts';
import { vm } from './commands/vm.ts';
import { type Console, createConsole } from './console.ts';
import { createPower } from './devices.ts';
import { createMemory } from './memory.ts';
import { type Command, runShell } from './shell.ts';

/** What init must be told about the machine it is linked for. */
export interface Platform {
  /** Page tables of the core's architecture. */
  readonly paging: Paging;
}

const COMMANDS: readonly Command[] = [mem, vm, caps, alloc, free, peek, poke, cores, ticks, exit];

/** The program `init` for a platform. */
export function createInit(platform: Platform): Program {
  return program('init', (os, argPage) => main(os, argPage, platform));
}

function* main(os: Os, bootInfoAt: number, platform: Platform): Wait<void> {
  const boot = readBootInfo(os.sys.cpu, bootInfoAt); //        the kernel mapped it
  const memory = createMemory(os, boot, platform.paging); //   needs the RAM capabilities
  const power = createPower(os, boot, memory); //              needs the address space
  const console = createConsole(os, boot, memory); //          needs the interrupt table
  greet(os, boot, console);
  const shell = { os, boot, memory, console, power, blocks: new Blocks() };
  yield* runShell(shell, [createHelp(COMMANDS), ...COMMANDS]);
}

function greet({ arch }: Os, boot: BootView, console: Console): void {
  const cores = boot.coreCount === 1 ? '1 core' : `1 of ${boot.coreCount} cores running`;
  console.printLine(`Barreleye on ${arch.name}: ${cores}, ${formatBytes(boot.ramBytes)} of RAM`);
  console.printLine("init is up; 'help' lists what you can type");
}

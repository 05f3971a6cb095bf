/** A boot that can be carried out: everything is checked, and where it goes is known. */

import {
  asPtr,
  BASE_PAGE_BITS,
  formatBytes,
  isAligned,
  offset,
  type PhysMem,
} from '@barreleye/core';
import { type Board, packageRam } from '@barreleye/machine';
import {
  BOOT_TOPOLOGY_OFFSET,
  BootInfo,
  Err,
  type Program,
  packBootTopology,
  type Scheduler,
} from '@barreleye/spec';
import type { BootRequest, Target } from './boot-options.ts';
import { type BootFailure, bootFailure } from './failure.ts';
import { parseKernelArgs } from './kernel-args.ts';
import {
  type LoadedModule,
  loadMemory,
  type MemoryPlan,
  maxModules,
  planMemory,
} from './loader.ts';
import { type Menu, moduleName } from './menu.ts';

export interface BootPlan {
  readonly memory: MemoryPlan;
  readonly modules: readonly LoadedModule[];
  readonly scheduler: Scheduler;
}

/** A plan, or why there is none. */
export type BootPlanResult = { readonly ok: true; readonly plan: BootPlan } | BootFailure;

/**
 * Check a request, and decide where everything goes.
 * @errors BOOT_ERR_NO_RAM, BOOT_ERR_NO_MODULE, BOOT_ERR_IMAGE, BOOT_ERR_MENU, LIB_ERR_BAD_INPUT
 */
export function planBoot(request: BootRequest): BootPlanResult {
  const { target, menu, coreCount, ramBytes } = request;
  const { board } = target;
  const tooSmall = checkSize(board, ramBytes, coreCount) ?? checkTopology(request);
  if (tooSmall !== undefined) return tooSmall;
  const kernelArgs = parseKernelArgs(menu);
  if (!kernelArgs.ok) return kernelArgs;
  const scheduler = request.scheduler ?? kernelArgs.args.scheduler;
  const loaded = loadModules(target, menu, programsOf(target));
  if (!loaded.ok) return loaded;
  const { modules } = loaded;
  const planned = planMemory(board, ramBytes, modules);
  if (!planned.ok) return planned;
  return { ok: true, plan: { memory: planned.plan, modules, scheduler } };
}

/** Put everything into the memory of a machine. */
export function loadBoot(mem: PhysMem, request: BootRequest, plan: BootPlan): void {
  const { target, coreCount, ramBytes, seed, topology } = request;
  const { memory, modules, scheduler } = plan;
  loadMemory(mem, target.board, memory, modules, { coreCount, ramBytes, seed });
  const info = asPtr<'BootInfo'>(memory.bootInfo);
  BootInfo.kcb.set(mem, info, memory.kcb);
  BootInfo.arena.set(mem, info, memory.arena);
  BootInfo.scheduler.set(mem, info, scheduler);
  if (topology === undefined) return;
  const parts = packageRam(topology.hops.length, target.board.ramRanges(ramBytes));
  const bytes = packBootTopology({ topology, packageRam: parts });
  BootInfo.packageCount.set(mem, info, topology.hops.length);
  mem.write(offset(memory.bootInfo, BOOT_TOPOLOGY_OFFSET), bytes);
}

function checkSize(board: Board, ramBytes: number, coreCount: number): BootFailure | undefined {
  const { minRamBytes, maxRamBytes } = board;
  if (ramBytes < minRamBytes || ramBytes > maxRamBytes) {
    const range = `${formatBytes(minRamBytes)} to ${formatBytes(maxRamBytes)}`;
    const word = ramBytes < minRamBytes ? 'little' : 'much';
    const why = `too ${word} RAM: ${formatBytes(ramBytes)}; ${board.name} takes ${range}`;
    return bootFailure(Err.BOOT_ERR_NO_RAM, why);
  }
  if (!isAligned(ramBytes, BASE_PAGE_BITS)) {
    const why = `RAM comes in whole pages: ${ramBytes} is not a multiple of 4096`;
    return bootFailure(Err.BOOT_ERR_NO_RAM, why);
  }
  if (coreCount < 1 || coreCount > board.maxCores) {
    const why = `${board.name} has 1 to ${board.maxCores} cores, not ${coreCount}`;
    return bootFailure(Err.LIB_ERR_BAD_INPUT, why);
  }
  return undefined;
}

/** Whether the cores that are wanted have their places, and the places are on the board. */
function checkTopology({ target, coreCount, topology }: BootRequest): BootFailure | undefined {
  if (topology === undefined) return undefined;
  const { name, maxCores } = target.board;
  const { packageOf, hops } = topology;
  const places = packageOf.length;
  if (hops.length > 1 && places > maxCores) {
    const why = `the topology has ${places} cores, ${name} has ${maxCores} at most`;
    return bootFailure(Err.LIB_ERR_BAD_INPUT, why);
  }
  if (coreCount > places) {
    const why = `the topology has ${places} cores, not ${coreCount}`;
    return bootFailure(Err.LIB_ERR_BAD_INPUT, why);
  }
  return undefined;
}

/** All programs of the target, in the order of its files: the machine's program table. */
export function programsOf(target: Target): Program[] {
  const programs: Program[] = [];
  for (const file of target.files.values()) if ('program' in file) programs.push(file.program);
  return programs;
}

type ModulesResult = { readonly ok: true; readonly modules: LoadedModule[] } | BootFailure;

/** The contents of every module of the menu. */
function loadModules(target: Target, menu: Menu, programs: readonly Program[]): ModulesResult {
  const modules: LoadedModule[] = [];
  const { cpuDriver } = menu;
  if (cpuDriver.path !== target.cpuDriver) {
    const where = `${menu.file}:${cpuDriver.line}`;
    const why = `no CPU driver '${cpuDriver.path}' (there is ${target.cpuDriver})`;
    return bootFailure(Err.BOOT_ERR_NO_MODULE, `${where}: ${why}`);
  }
  const most = maxModules(target.board);
  for (const { path, args, line } of menu.modules) {
    if (modules.length === most) {
      return bootFailure(Err.BOOT_ERR_MENU, `${menu.file}:${line}: more than ${most} modules`);
    }
    const file = target.files.get(path);
    if (file === undefined) {
      const known = [...target.files.keys()].join(', ');
      const why = `${menu.file}:${line}: no such file '${path}' (there is ${known})`;
      return bootFailure(Err.BOOT_ERR_NO_MODULE, why);
    }
    const bytes =
      'program' in file ? target.imageOf(programs.indexOf(file.program), file.program) : file.bytes;
    modules.push({ name: moduleName({ path, args }), bytes });
  }
  const [first] = menu.modules;
  const firstFile = first === undefined ? undefined : target.files.get(first.path);
  if (first === undefined || firstFile === undefined || !('program' in firstFile)) {
    const why = `${menu.file}:${first?.line ?? 1}: the first module must be a program`;
    return bootFailure(Err.BOOT_ERR_IMAGE, why);
  }
  return { ok: true, modules };
}

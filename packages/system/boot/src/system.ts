/**
 * A running system out of its parts: board, page tables, boot menu and programs. Nothing here knows
 * an architecture; an app passes one in.
 */

import { asPtr, assert, BASE_PAGE_BITS, formatBytes, isAligned, type Paddr } from '@barreleye/core';
import { CpuDriver } from '@barreleye/cpu-driver';
import { type Board, type Core, type CoreHal, Machine, type TrapHandler } from '@barreleye/machine';
import {
  BOOTINFO_MAGIC,
  BootInfo,
  Err,
  Kcb,
  type Paging,
  type Program,
  type Scheduler,
} from '@barreleye/spec';
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

/** A file that menus can name: a program of this machine, or just bytes. */
export type ModuleFile = { readonly program: Program } | { readonly bytes: Uint8Array };

/** Everything that makes a target: what an app passes in. */
export interface Target {
  /** Name on the command line. */
  readonly name: string;
  readonly board: Board;
  readonly paging: Paging;
  /** Formats of page tables of other architectures that domains may build. */
  readonly foreignFormats?: readonly Paging[];
  /** Text of the menu that it boots from unless told otherwise. */
  readonly menu: string;
  /** Path by which menus name the CPU driver. */
  readonly cpuDriver: string;
  /** Files by path. */
  readonly files: ReadonlyMap<string, ModuleFile>;
  /** Makes the image of a program: number in the program table, and name. */
  readonly imageOf: (index: number, program: Program) => Uint8Array;
}

export interface BootOptions {
  readonly target: Target;
  readonly menu: Menu;
  readonly coreCount: number;
  /** Whole pages. */
  readonly ramBytes: number;
  readonly seed: number;
  /** Instead of what the menu says. */
  readonly scheduler?: Scheduler;
  /** Makes the CPU driver's trap handler from the driver; for tests that watch or replace it. */
  readonly wrapDriver?: (driver: CpuDriver, hal: CoreHal) => TrapHandler;
}

/** A machine with a system on it, ready to `run`. */
export interface System {
  readonly machine: Machine;
  readonly plan: MemoryPlan;
  /** Of the bootstrap core. */
  readonly driver: CpuDriver;
  /** Of all cores that have been started, by number. */
  readonly drivers: ReadonlyMap<number, CpuDriver>;
}

/** A system, or why there is none. */
export type BootResult = { readonly ok: true; readonly system: System } | BootFailure;

/** Time slice of the scheduler: 10 ms. */
const SLICES_PER_SECOND = 100;

/**
 * Build the machine, load the modules, and power the bootstrap core on.
 * @errors BOOT_ERR_NO_RAM, BOOT_ERR_NO_MODULE, BOOT_ERR_IMAGE, BOOT_ERR_MENU
 */
export function bootSystem(options: BootOptions): BootResult {
  const { target, menu, coreCount, ramBytes, seed } = options;
  const { board } = target;
  const tooSmall = checkSize(board, ramBytes, coreCount);
  if (tooSmall !== undefined) return tooSmall;
  const kernelArgs = parseKernelArgs(menu);
  if (!kernelArgs.ok) return kernelArgs;
  const scheduler = options.scheduler ?? kernelArgs.args.scheduler;
  const programs = programsOf(target);
  const modules = loadModules(target, menu, programs);
  if (!modules.ok) return modules;
  const planned = planMemory(board, ramBytes, modules.modules);
  if (!planned.ok) return planned;
  const { plan } = planned;

  const machine = new Machine({
    board,
    paging: target.paging,
    programs,
    ramBytes,
    coreCount,
    seed,
  });
  loadMemory(machine.mem, board, plan, modules.modules, { coreCount, ramBytes, seed });
  const { mem } = machine;
  const info = asPtr<'BootInfo'>(plan.bootInfo);
  BootInfo.kcb.set(mem, info, plan.kcb);
  BootInfo.arena.set(mem, info, plan.arena);
  BootInfo.scheduler.set(mem, info, scheduler);
  const drivers = new Map<number, CpuDriver>();
  machine.firmware = (core, page) => {
    const driver = startDriver(options, core, page);
    if (driver !== undefined) drivers.set(core.coreId, driver);
    return driver !== undefined;
  };
  const isStarted = machine.firmware(machine.bsp, plan.bootInfo);
  const driver = drivers.get(machine.bsp.coreId);
  assert(isStarted && driver !== undefined, 'the boot information was just written');
  return { ok: true, system: { machine, plan, driver, drivers } };
}

/** Power a core on with a CPU driver over what the page at `page` says; undefined: nothing. */
function startDriver(options: BootOptions, core: Core, page: Paddr): CpuDriver | undefined {
  const { target, wrapDriver } = options;
  const { mem } = core;
  const info = asPtr<'BootInfo'>(page);
  const isForCore = BootInfo.coreId.get(mem, info) === core.coreId;
  if (BootInfo.magic.get(mem, info) !== BOOTINFO_MAGIC || !isForCore) return undefined;
  const kcb = BootInfo.kcb.get(mem, info);
  Kcb.coreId.set(mem, kcb, core.coreId);
  const driver = new CpuDriver(core, kcb, target.foreignFormats);
  const handler = wrapDriver?.(driver, core) ?? driver;
  core.powerOn(handler, () =>
    driver.start({
      bootInfo: page,
      arena: BootInfo.arena.get(mem, info),
      scheduler: BootInfo.scheduler.get(mem, info),
      timeslice: target.board.frequency / SLICES_PER_SECOND,
    }),
  );
  return driver;
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

/** All programs of the target, in the order of its files: the machine's program table. */
function programsOf(target: Target): Program[] {
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

/** Boot loader: board, boot menu and modules become a running system. */

export type { BootOptions, BootRequest, ModuleFile, Target } from './boot-options.ts';
export { type BootFailure, bootFailure } from './failure.ts';
export { SCHEDULERS } from './kernel-args.ts';
export type { LoadedModule, MemoryPlan } from './loader.ts';
export {
  type Menu,
  type MenuModule,
  type MenuResult,
  parseMenu,
  withModuleArgs,
} from './menu.ts';
export {
  bootParallel,
  coreSetup,
  type ParallelBootOptions,
  type ParallelBootResult,
  type ParallelSystem,
} from './parallel-system.ts';
export { runScript, type ScriptResult } from './run-script.ts';
export { type BootResult, bootSystem, type System } from './system.ts';
export { type BootWishes, bootTarget, programFiles, withPrograms } from './target.ts';
export { Typist, type TypistOutcome } from './typist.ts';

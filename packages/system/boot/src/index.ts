/** Boot loader: board, boot menu and modules become a running system. */

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
export { runScript, type ScriptResult } from './run-script.ts';
export {
  type BootOptions,
  type BootResult,
  bootSystem,
  type ModuleFile,
  type System,
  type Target,
} from './system.ts';
export { type BootWishes, bootTarget, programFiles, withPrograms } from './target.ts';
export { Typist, type TypistOutcome } from './typist.ts';

/** The CPU driver of one core. */

export { checkInvariants, KERNEL_INVARIANTS } from './check.ts';
export { ENTRY_INVARIANTS, EntryChecker } from './check-entries.ts';
export { checkTranslations, MACHINE_INVARIANTS } from './check-translations.ts';
export type { Kernel } from './kernel.ts';
export { CpuDriver } from './main.ts';
export type { FirstDomain } from './startup.ts';

/** The CPU driver of one core. */

export { checkKernel } from './check.ts';
export type { Kernel } from './kernel.ts';
export { CpuDriver } from './main.ts';
export { FIRST_DOMAIN_BYTES, type FirstDomain } from './startup.ts';

/** For tests of library code without a machine: a processor and a kernel driven by hand. */

export { HandCpu } from './hand-cpu.ts';
export { HandKernel, type HeldCap } from './hand-kernel.ts';

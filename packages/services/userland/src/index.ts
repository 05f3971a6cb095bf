/** The domains that make a system of a kernel. */

export { systemPrograms } from './system-programs.ts';

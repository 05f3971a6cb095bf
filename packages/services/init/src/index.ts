/** init, the first domain, and what another first domain needs to stand on its feet. */

export { type BootView, readBootInfo } from './boot-info.ts';
export { createInit } from './main.ts';
export { createMemory, type Memory } from './memory.ts';

/** init, the first domain, and what another first domain needs to stand on its feet. */

export { type BootView, readBootInfo } from '@barreleye/monitor';
export { createInit } from './main.ts';
export { createMemory, type Memory } from './memory.ts';

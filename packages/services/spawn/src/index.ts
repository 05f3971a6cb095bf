/** Makes domains: CSpace, VSpace, dispatcher, image. */

export { mustUndo, Parts } from './parts.ts';
export type { Spawner, SpawnRequest } from './request.ts';
export { type SpawnedDomain, spawnProgram } from './spawn.ts';

/** Makes domains: CSpace, VSpace, dispatcher, image. */

export { type FarDispatcher, type FarRequest, spawnFar } from './far.ts';
export { mustUndo, Parts } from './parts.ts';
export type { Spawner, SpawnRequest } from './request.ts';
export { type SpawnedDomain, spawnProgram } from './spawn.ts';

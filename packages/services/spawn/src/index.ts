/** Makes domains: CSpace, VSpace, dispatcher, image. */

export type { Spawner, SpawnRequest } from './request.ts';
export { type SpawnedDomain, spawnProgram } from './spawn.ts';

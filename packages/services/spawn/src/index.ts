/** Makes domains: CSpace, VSpace, dispatcher, image. */

export { type SpawnedDomain, type Spawner, type SpawnRequest, spawnProgram } from './spawn.ts';

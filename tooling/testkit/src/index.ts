/** What tests of whole systems share. */

export {
  boot,
  checkEveryEntry,
  checkMachine,
  TARGETS,
  type TestTarget,
  withProgram,
} from './boot.ts';
export { type Child, endOf, errorOf, infoOf, kill, killFamily, start } from './children.ts';
export { Desk } from './desk.ts';
export { digestRam } from './digest.ts';
export {
  type FirstDomain,
  type FirstDomainWishes,
  moduleCap,
  runFirstDomain,
  spawnerOf,
} from './first-domain.ts';
export {
  coreInventory,
  expectAllInventories,
  expectInventory,
  expectNothingLeft,
  type Inventory,
  takeAllInventories,
  takeInventory,
} from './inventory.ts';
export {
  bare,
  runSystem,
  type SystemRun,
  type SystemWishes,
  type Tester,
} from './whole-system.ts';

/**
 * Service references: who serves somewhere, as a number that every core understands. A monitor
 * gives them out and never uses one again; who has one can ask to be bound.
 */

/** References that each core can give out. */
const PER_CORE = 2 ** 24;
/** The most services that a core can export, one after the other. */
export const MAX_IREFS = PER_CORE - 1;

/** The `index`-th reference of a core, from 1 on. */
export function makeIref(core: number, index: number): number {
  return core * PER_CORE + index;
}

/** The core on which the service is. */
export function irefCore(iref: number): number {
  return Math.floor(iref / PER_CORE);
}

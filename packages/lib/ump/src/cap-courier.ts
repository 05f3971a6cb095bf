/**
 * Capabilities do not fit into shared memory: monitors carry them, beside the words. The note of a
 * message is the number of its capability, and it is received when both are there (I62).
 */

import type { Capref } from '@barreleye/libos';

/** What carries the capabilities of one channel. */
export interface CapCourier {
  /**
   * Set off with a copy of `cap`. There is room for its message, which follows at once.
   * @returns its number, above 0; or minus a `SendResult`: it cannot be sent, or not now
   */
  send(cap: Capref): number;
  /**
   * Hand over the capability `number`, whose message has come. The number is what the sender says.
   * @returns `undefined`: it is not here yet, `arrived` will be called; `lost`: it never will be
   */
  take(number: number, arrived: () => void): Capref | 'lost' | undefined;
  /** Delete a capability that was received. */
  drop(cap: Capref): void;
}

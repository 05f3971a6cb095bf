/** How a parallel machine ends. */

import type { CoreId } from '@barreleye/core';
import type { ErrorText } from './messages.ts';

export type MachineEnd =
  | { readonly kind: 'off'; readonly exitCode: number } //       the system turned the power off
  | { readonly kind: 'failed'; readonly failure: CoreFailure } // a bug of ours
  | { readonly kind: 'stopped' }; //                             somebody stopped it

/** What the CPU driver of a core died of, or its thread. Where it happened is the stack. */
export class CoreFailure extends Error {
  readonly coreId: CoreId;

  constructor(coreId: CoreId, { message, stack }: ErrorText) {
    super(`core ${coreId}: ${message}`);
    this.name = 'CoreFailure';
    this.coreId = coreId;
    this.stack = `core ${coreId}: ${stack}`;
  }
}

/** Why a system does not boot: for people, one line. */

import type { Errval } from '@barreleye/core';

/** A reason not to boot. `message` is complete: what, where, and what to do. */
export interface BootFailure {
  readonly ok: false;
  readonly err: Errval;
  readonly message: string;
}

/** A failure as a value. */
export function bootFailure(err: Errval, message: string): BootFailure {
  return { ok: false, err, message };
}

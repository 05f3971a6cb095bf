/** One row of the table of invocations: what a command of a type takes, and what it does. */

import type { Slot } from '@barreleye/caps';
import type { Errval } from '@barreleye/core';
import type { Kernel } from './kernel.ts';

/** One operation of one type. */
export interface Invocation {
  /** Rights that the invoked capability itself must have (T40). */
  readonly rights: number;
  /** 32-bit argument words it reads. */
  readonly argCount: number;
  /** Runs to completion; arguments are in `k.args`, a value goes to `k.value`. */
  readonly run: (k: Kernel, cap: Slot) => Errval;
}

/** Operations by command. */
export type Commands = { readonly [command: number]: Invocation };

export function row(rights: number, argCount: number, run: Invocation['run']): Invocation {
  return { rights, argCount, run };
}

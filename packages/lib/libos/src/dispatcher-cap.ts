/** Dispatcher capabilities: giving a new dispatcher what it lives by. */

import { type Errval, errPush, isOk, OK } from '@barreleye/core';
import { DispatcherCmd, Err } from '@barreleye/spec';
import type { Capref } from './capref.ts';
import type { Sys } from './sys.ts';

/** What a dispatcher lives by. */
export interface DispatcherParts {
  /** The root CNode of its CSpace. */
  readonly cspace: Capref<'L1CNode'>;
  /** In that CSpace: the root of its page tables, and its frame. */
  readonly vspaceRoot: number;
  readonly frame: number;
  /** Where its page tables show the frame. */
  readonly frameVaddr: number;
  /** Run it at once. It starts with the registers in the disabled area of its frame. */
  readonly isRun: boolean;
  /**
   * Its domain, or another dispatcher of the same domain; left out, it belongs to the caller's.
   * Reports of its death name the domain.
   */
  readonly domain?: Capref<'Domain'> | Capref<'Dispatcher'>;
}

/** Set a new dispatcher up, once. @errors LIB_ERR_DISP_SETUP over the kernel's reason */
export function dispatcherSetup(
  sys: Sys,
  dispatcher: Capref<'Dispatcher'>,
  parts: DispatcherParts,
): Errval {
  sys.begin(dispatcher, DispatcherCmd.Setup);
  sys.arg(parts.cspace.cptr);
  sys.arg(parts.cspace.level);
  sys.arg(parts.vspaceRoot);
  sys.arg(parts.frame);
  sys.arg(parts.isRun ? 1 : 0);
  sys.arg64(parts.frameVaddr);
  sys.arg(parts.domain?.cptr ?? 0);
  const err = sys.call();
  return isOk(err) ? OK : errPush(err, Err.LIB_ERR_DISP_SETUP);
}

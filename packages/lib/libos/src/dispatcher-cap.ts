/** Dispatcher capabilities: giving a new dispatcher what it lives by; stopping it for a while. */

import { type Errval, OK } from '@barreleye/core';
import { DispatcherCmd, Err } from '@barreleye/spec';
import type { Capref } from './capref.ts';
import { pushed, type Sys } from './sys.ts';

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
  return pushed(sys.call(), Err.LIB_ERR_DISP_SETUP);
}

/**
 * Keep a dispatcher from running until it is resumed; one that is stopped already stays so. What
 * is sent to it waits in its endpoints. Who stops itself has lost the core when this returns, and
 * goes on with a call that waits, such as `yield* os.preempt()`.
 * @errors LIB_ERR_DISP_STOP over SYS_ERR_DISP_NOT_RUNNABLE, it is dead, or SYS_ERR_CAP_RIGHTS
 */
export function dispatcherStop(sys: Sys, dispatcher: Capref<'Dispatcher'>): Errval {
  sys.begin(dispatcher, DispatcherCmd.Stop);
  const err = sys.call();
  // Only a stop of oneself gives the core away, and only one that is not refused.
  return sys.cpu.isLive() ? pushed(err, Err.LIB_ERR_DISP_STOP) : OK;
}

/**
 * Let a dispatcher run on where it was; nothing if it is not stopped.
 * @errors LIB_ERR_DISP_RESUME over SYS_ERR_DISP_NOT_RUNNABLE, it is dead, or SYS_ERR_CAP_RIGHTS
 */
export function dispatcherResume(sys: Sys, dispatcher: Capref<'Dispatcher'>): Errval {
  sys.begin(dispatcher, DispatcherCmd.Resume);
  return pushed(sys.call(), Err.LIB_ERR_DISP_RESUME);
}

/** What the main thread and those of cores tell each other. All of it can be cloned. */

import type { CoreId, Paddr } from '@barreleye/core';

/** The first message to the thread of a core: what it is to be. */
export interface CoreJob {
  readonly coreId: CoreId;
  readonly coreCount: number;
  readonly ramBytes: number;
  /** RAM, and the control block. */
  readonly memory: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  /** When the clock of the machine was 0, and what that of the core begins with, cycles. */
  readonly epochMs: number;
  readonly startCycles: number;
  /** Where the core finds what to do. */
  readonly page: Paddr;
  /** From the app that made the machine, to itself in another thread. */
  readonly app: unknown;
}

/** An error, as it can be sent. */
export interface ErrorText {
  readonly message: string;
  readonly stack: string;
}

/** What the thread of a core tells the main thread. */
export type CoreMessage =
  | { readonly kind: 'loaded' } //                            it can be told what it is to be
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | { readonly kind: 'start'; readonly core: CoreId; readonly page: Paddr; readonly at: number }
  | { readonly kind: 'off'; readonly exitCode: number }
  | { readonly kind: 'broken'; readonly program: string; readonly error: ErrorText } // a program
  | { readonly kind: 'failed'; readonly error: ErrorText } //  the CPU driver, or the machine
  | { readonly kind: 'lost'; readonly error: ErrorText } //    the core did not come up
  | { readonly kind: 'room' }; //                              for input that did not fit

/** The error that was sent. */
export function errorOf({ message, stack }: ErrorText): Error {
  const error = new Error(message);
  error.stack = stack;
  return error;
}

/** Anything that was thrown, as it can be sent. */
export function errorText(error: unknown): ErrorText {
  if (!(error instanceof Error)) return { message: String(error), stack: String(error) };
  const { name, message, stack = `${name}: ${message}` } = error;
  return { message, stack };
}

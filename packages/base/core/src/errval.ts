/**
 * Expected failures are values. An `Errval` is one exact number: a stack of up to five 10-bit
 * codes, the most recent in the low bits, so it crosses the system call interface unchanged.
 * Source: Barrelfish `errval_t`; the names of the codes are in `@barreleye/spec` errors.ts.
 */

import { assert } from './assert.ts';
import type { Brand } from './brand.ts';

/** 0 for success, else a stack of error codes; always an integer in [0, 2^50). */
export type Errval = Brand<number, 'Errval'>;

/** Bits of one code. */
export const ERR_CODE_BITS = 10;
/** How many codes an Errval holds; pushing a sixth drops the oldest. */
export const ERR_STACK_DEPTH = 5;

const CODE_SPAN = 2 ** ERR_CODE_BITS;
const STACK_SPAN = 2 ** (ERR_CODE_BITS * ERR_STACK_DEPTH);

/** Success. */
export const OK = 0 as Errval;

/** Either a value, or why there is none. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly err: Errval };

/** A Result that carries `value`. */
export function succeed<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** A Result that carries an error. */
export function fail<T = never>(err: Errval): Result<T> {
  return { ok: false, err };
}

/** Turn one code, 1 <= code < 1024, into an error value. Panics when it is not one. */
export function errval(code: number): Errval {
  assert(Number.isInteger(code), 'an error code is an integer');
  assert(code >= 1 && code < CODE_SPAN, 'an error code does not fit its ten bits');
  return code as Errval;
}

/** A number that crossed an interface and claims to be an error value. */
export function asErrval(n: number): Errval {
  return n as Errval;
}

/** Whether `err` means success. */
export function isOk(err: Errval): boolean {
  return err === 0;
}

/** Push `code` on `err`: what happened stays below, what it meant to the caller is on top. */
export function errPush(err: Errval, code: Errval): Errval {
  return ((err % (STACK_SPAN / CODE_SPAN)) * CODE_SPAN + (code % CODE_SPAN)) as Errval;
}

/** The most recent code as an error value of its own. */
export function errTop(err: Errval): Errval {
  return (err % CODE_SPAN) as Errval;
}

/** `err` without its most recent code. */
export function errPop(err: Errval): Errval {
  return Math.floor(err / CODE_SPAN) as Errval;
}

/** All codes of `err`, most recent first; at most five, whatever number `err` claims to be. */
export function errStack(err: Errval): Errval[] {
  const codes: Errval[] = [];
  for (let rest = err; rest !== 0 && codes.length < ERR_STACK_DEPTH; rest = errPop(rest)) {
    codes.push(errTop(rest));
  }
  return codes;
}

/** Shares of the processor: exact, whatever their terms. */

import { FULL_SHARE } from '@barreleye/spec';

/** Terms of a fraction are at most this: three of them together are still exact. */
export const MAX_CYCLES = 2 ** 50;

/**
 * The largest integer not above `value * part / whole`.
 * @param value at most `MAX_CYCLES`
 * @param part at most `whole`, which is at most `MAX_CYCLES`
 */
export function scale(value: number, part: number, whole: number): number {
  const product = value * part;
  // The quotient of exact numbers is never rounded up to an integer.
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / whole);
  let quotient = 0;
  let rest = 0;
  let left = value;
  for (let bit = MAX_CYCLES; bit >= 1; bit /= 2) {
    quotient *= 2;
    rest *= 2;
    if (left >= bit) {
      left -= bit;
      rest += part;
    }
    while (rest >= whole) {
      rest -= whole;
      quotient += 1;
    }
  }
  return quotient;
}

/** What `cycles` in every `of` are of the processor, rounded up: in parts of `FULL_SHARE`. */
export function shareOf(cycles: number, of: number): number {
  return FULL_SHARE - scale(FULL_SHARE, of - cycles, of);
}

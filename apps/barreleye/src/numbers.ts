/** Numbers on the command line. */

import { UsageError } from './usage-error.ts';

const SCALE: { readonly [suffix: string]: number } = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
};

/** A byte count: `268435456`, `0x10000000`, `256m`, `1g`. `option` is for the message. */
export function parseBytes(text: string, option: string): number {
  const match = /^(0x[0-9a-f]+|[0-9]+)(?:([kmg])(?:i?b)?|b)?$/i.exec(text);
  const value = Number(match?.[1]) * (SCALE[(match?.[2] ?? '').toLowerCase()] ?? 1);
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`${option}: '${text}' is not a byte count (examples: 64m, 1g, 67108864)`);
  }
  return value;
}

/** A whole number from `least` to `most`. */
export function parseInteger(text: string, option: string, least: number, most: number): number {
  const value = /^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`${option}: '${text}' is not a whole number from ${least} to ${most}`);
  }
  return value;
}

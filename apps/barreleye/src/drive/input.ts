/** Checking and reading the numbers of a JSON document. */

import { z } from 'zod';

/** Input of a subject that is not of the form; the message says which field. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** A non-negative exact integer: a JSON number or a `"0x..."` string. */
export const numeric = z
  .union([z.number(), z.string().regex(/^(0x[0-9a-f]+|[0-9]+)$/i, 'expected a number or "0x..."')])
  .transform((value) => Number(value))
  .refine((value) => Number.isSafeInteger(value) && value >= 0, 'expected an integer below 2^53');

/** A 64-bit pattern as bigint: a JSON number or a `"0x..."` string. */
export const pattern64 = z
  .union([
    z.number().int(),
    z.string().regex(/^(0x[0-9a-f]{1,16}|-?[0-9]{1,19})$/i, 'expected "0x..."'),
  ])
  .transform((value) => BigInt.asUintN(64, BigInt(value)));

/** A 32-bit word. */
export const word32 = numeric.refine((value) => value < 2 ** 32, 'expected a 32-bit word');

/** Parse `document`, or throw an InputError that names the first bad field. */
export function parseInput<T>(schema: z.ZodType<T>, document: unknown): T {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const isMissing = path.length > 0 && valueAt(document, path) === undefined;
  const why = isMissing ? 'is missing' : (issue?.message ?? 'not of the form');
  throw new InputError(`${path.join('.') || 'input'}: ${why}`);
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return value;
}

/** A 64-bit value as it goes out. */
export function hexOut(value: number | bigint): string {
  const bits = typeof value === 'bigint' ? value : BigInt.asUintN(64, BigInt(value));
  return `0x${bits.toString(16)}`;
}

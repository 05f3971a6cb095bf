/** Numbers as people read them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `0x` and lower-case digits; a negative (high half) address as its 64-bit pattern. */
export function hex(n: number): string {
  if (n >= 0) return `0x${n.toString(16)}`;
  const low = n >>> 0;
  const high = Math.floor(n / 2 ** 32) >>> 0;
  return `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
}

/** A byte count in the largest binary unit that keeps it short: `4 KiB`, `63.5 MiB`, `100 B`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // Above 1023.95 the first unit would print as 1024.0.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = Number.isInteger(value) ? String(value) : value.toFixed(1);
  return `${digits} ${UNITS[unit] ?? ''}`;
}

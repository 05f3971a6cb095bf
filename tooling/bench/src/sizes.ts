/** How many capabilities there are in the benches that ask how things grow. */
export const SIZES: readonly number[] = [1e3, 1e4, 1e5, 1e6];

/** `1e5` for 100,000; `32` for 32. */
export function label(size: number): string {
  const power = Math.log10(size);
  return Number.isInteger(power) && power > 1 ? `1e${power}` : String(size);
}

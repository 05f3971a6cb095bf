/** How many capabilities there are in the benches that ask how things grow. */
export const SIZES: readonly number[] = [1e3, 1e4, 1e5, 1e6];

/** `1e5` for 100,000. */
export function label(size: number): string {
  return `1e${Math.log10(size)}`;
}

/** Numbers as arguments. */

/** The number that `text` says, from 1 to a million; `fallback` if it says none. */
export function numberFrom(text: string | undefined, fallback: number): number {
  const number = Number.parseInt(text ?? '', 10);
  return number >= 1 && number <= 1e6 ? number : fallback;
}

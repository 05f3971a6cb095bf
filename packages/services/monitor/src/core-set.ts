/** Sets of cores in two words, so that an order fits one message of a link. */

/** The words: a bit for each core, 0 to 63. */
export function packCores(cores: readonly number[]): readonly [low: number, high: number] {
  let low = 0;
  let high = 0;
  for (const core of cores) {
    if (core < 32) low |= 1 << core;
    else high |= 1 << (core - 32);
  }
  return [low >>> 0, high >>> 0];
}

/** The cores, by number. */
export function unpackCores(low: number, high: number): number[] {
  const cores: number[] = [];
  for (let core = 0; core < 64; core++) {
    const word = core < 32 ? low : high;
    if (((word >>> (core & 31)) & 1) !== 0) cores.push(core);
  }
  return cores;
}

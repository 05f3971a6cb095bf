/**
 * The only source of chance below the apps: a small seeded generator (xoshiro128**, seeded through
 * splitmix32). Same seed, same numbers, on every host.
 * Source: D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators" (2018).
 */

import { assert } from './assert.ts';

export class Prng {
  private readonly state: Uint32Array;

  /** @param seed any integer; its low 32 bits count. */
  constructor(seed: number) {
    this.state = new Uint32Array(4);
    let mix = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e37_79b9) >>> 0;
      let z = mix;
      z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
      this.state[i] = z ^ (z >>> 16);
    }
  }

  /** The next 32 bits, 0 <= n < 2^32. */
  next32(): number {
    const s = this.state;
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = s;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    const x2 = s2 ^ s0;
    const x3 = s3 ^ s1;
    s[1] = s1 ^ x2;
    s[0] = s0 ^ x3;
    s[2] = x2 ^ t;
    s[3] = rotateLeft(x3, 11);
    return result;
  }

  /** A fair integer, 0 <= n < `limit`; 1 <= limit <= 2^32. */
  below(limit: number): number {
    assert(Number.isInteger(limit), 'the limit of a random number is an integer');
    assert(limit >= 1 && limit <= 2 ** 32, 'limit of a random number out of range');
    const fair = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const n = this.next32();
      if (n < fair) return n % limit;
    }
  }
}

function rotateLeft(n: number, by: number): number {
  return (n << by) | (n >>> (32 - by));
}

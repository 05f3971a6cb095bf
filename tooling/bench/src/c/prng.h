/* prng.ts of @barreleye/core. */

#include <stdint.h>

static uint32_t state[4];

static uint32_t rotate_left(uint32_t n, int by) {
  return (n << by) | (n >> (32 - by));
}

static void seed_with(uint32_t mix) {
  for (int i = 0; i < 4; i++) {
    mix += 0x9e3779b9;
    uint32_t z = mix;
    z = (z ^ (z >> 16)) * 0x85ebca6b;
    z = (z ^ (z >> 13)) * 0xc2b2ae35;
    state[i] = z ^ (z >> 16);
  }
}

static uint32_t below(uint32_t limit) {
  uint64_t fair = ((uint64_t)1 << 32) - ((uint64_t)1 << 32) % limit;
  for (;;) {
    uint32_t result = rotate_left(state[1] * 5, 7) * 9, t = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate_left(state[3], 11);
    if (result < fair) return result % limit;
  }
}

/*
 * usage: walk PAGES
 * Maps PAGES pages of 4 KiB through four levels of x86-64 page tables. Then, for each line
 * "walk MILLISECONDS" of input, walks them in turn for about that long and prints how many nanoseconds
 * one walk took. Ends with its input.
 *
 * The walk checks and marks what that of packages/arch/paging-x86-64 does: present, reserved and
 * large-page bits, rights at every level, accessed and dirty bits.
 */

#define _POSIX_C_SOURCE 199309L

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80 };

#define ADDRESS 0x000ffffffffff000u
#define XD ((uint64_t)1 << 63)
#define BASE 0x8000000000u

static uint64_t *memory, frames;

static uint64_t walk(uint64_t root, uint64_t va, int write, int user) {
  uint64_t table = root, all = ~(uint64_t)0;
  if ((uint64_t)((int64_t)(va << 16) >> 16) != va) return -1;
  for (int shift = 39;; shift -= 9) {
    if (table >> 12 >= frames) return -1;
    uint64_t *at = &memory[table / 8 + ((va >> shift) & 511)], entry = *at;
    if (!(entry & P)) return -1;
    all &= entry;
    if (shift == 12) {
      uint64_t needs = (user ? US : 0) | (write ? RW : 0), marks = write ? A | D : A;
      if ((all & needs) != needs) return -1;
      if ((entry & marks) != marks) *at = entry | marks;
      return (entry & ADDRESS) | (va & 0xfff);
    }
    if (entry & PS) return -1;
    if (!(entry & A)) *at = entry | A;
    table = entry & ADDRESS;
  }
}

static uint64_t next_table = 0x1000;

static void map(uint64_t va, uint64_t frame) {
  uint64_t table = 0;
  for (int shift = 39; shift > 12; shift -= 9) {
    uint64_t *entry = &memory[table / 8 + ((va >> shift) & 511)];
    if (!*entry) {
      *entry = next_table | P | RW | US;
      next_table += 0x1000;
    }
    table = *entry & ADDRESS;
  }
  memory[table / 8 + ((va >> 12) & 511)] = frame | P | RW | US | XD;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  uint64_t pages = argc > 1 ? strtoull(argv[1], 0, 10) : 0;
  frames = pages + 64;
  memory = calloc(frames, 4096);
  if (!memory || !pages) return 1;
  for (uint64_t i = 0; i < pages; i++) map(BASE + i * 4096, (64 + i) << 12);
  double milliseconds;
  while (scanf("%*s %lf", &milliseconds) == 1) {
    double start = now(), took;
    uint64_t walks = 0, sum = 0;
    do {
      for (uint64_t i = 0; i < pages; i++) sum += walk(0, BASE + i * 4096 + 8, 0, 1);
      walks += pages;
    } while ((took = now() - start) < milliseconds * 1e6);
    static volatile uint64_t sink;
    sink = sum;
    (void)sink;
    printf("%f\n", took / walks);
    fflush(stdout);
  }
  return 0;
}

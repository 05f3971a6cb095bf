/*
 * usage: mdb COUNT SEED
 * Fills a mapping database with COUNT capabilities. Then, for each line "OPERATION MILLISECONDS" of
 * input, goes on with OPERATION (lookup, range, insert or move) for about that long and prints how
 * many nanoseconds one took. Ends with its input.
 *
 * What is in the database, and in which order it is asked for, is that of ../cap-space.ts.
 */

#define _POSIX_C_SOURCE 199309L

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mdb.h"
#include "prng.h"

enum { RAM = 2, PICKS = 1 << 20, SPARE = 256 };

static Slot *where, spare;
static uint32_t *picks, cursor;
static volatile uint64_t sink;

static void *must_calloc(size_t count, size_t bytes) {
  void *memory = calloc(count, bytes);
  if (memory == NULL) abort();
  return memory;
}

static uint64_t bytes_at(uint32_t page) {
  return page % 2 == 0 ? 2 * PAGE : PAGE;
}

static void populate(uint32_t count) {
  kind_of[RAM] = MEMORY;
  root_of[RAM] = 1;
  // As in the other one, no entry lies across two cache lines.
  entries = aligned_alloc(sizeof(Entry), ((size_t)count + SPARE + 2) * sizeof(Entry));
  if (entries == NULL) abort();
  memset(entries, 0, ((size_t)count + SPARE + 2) * sizeof(Entry));
  where = must_calloc(count, sizeof *where);
  picks = must_calloc(PICKS, sizeof *picks);
  uint32_t *order = must_calloc(count, sizeof *order);
  for (uint32_t i = 0; i < count; i++) order[i] = i;
  for (uint32_t i = count; i-- > 1;) {
    uint32_t j = below(i + 1), page = order[i];
    order[i] = order[j];
    order[j] = page;
  }
  for (uint32_t i = 0; i < count; i++) {
    uint32_t page = order[i];
    Slot slot = where[page] = i + 1;
    entries[slot] = (Entry){.type = RAM, .rights = 31};
    entries[slot].base = (uint64_t)page * PAGE;
    entries[slot].bytes = bytes_at(page);
    mdb_insert(slot);
  }
  for (uint32_t i = 0; i < PICKS; i++) picks[i] = below(count);
  free(order);
  spare = count + 1;
}

static uint32_t pick(void) {
  uint32_t page = picks[cursor];
  cursor = (cursor + 1) % PICKS;
  return page;
}

static void lookup(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t page = pick();
    sink += find_object(RAM, (uint64_t)page * PAGE, bytes_at(page));
  }
}

static void range(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    sink += find_range(RAM, (uint64_t)pick() * PAGE, PAGE).slot;
  }
}

/* `moveToSlot` in cte.ts. */
static void move(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t page = pick();
    Slot source = where[page];
    mdb_remove(source);
    entries[spare] = entries[source];
    memset(&entries[source], 0, sizeof(Entry));
    mdb_insert(spare);
    where[page] = spare;
    spare = source;
  }
}

/* `copyToSlot` in copy.ts, to slots behind the spare one. */
static void insert(Slot first, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    memcpy(&entries[first + i], &entries[where[pick()]], offsetof(Entry, left));
    entries[first + i].level = entries[first + i].end_root = 0;
    mdb_insert(first + i);
  }
}

static void remove_copies(Slot first, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    mdb_remove(first + i);
    memset(&entries[first + i], 0, sizeof(Entry));
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds for `count` operations, 0 for one that there is not. */
static double run(const char *operation, uint32_t capabilities, uint32_t count) {
  bool is_insert = strcmp(operation, "insert") == 0;
  double start = now(), end;
  if (strcmp(operation, "lookup") == 0) lookup(count);
  else if (strcmp(operation, "range") == 0) range(count);
  else if (strcmp(operation, "move") == 0) move(count);
  else if (is_insert) insert(capabilities + 2, count);
  else return 0;
  end = now();
  if (is_insert) remove_copies(capabilities + 2, count);
  return end - start;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  uint32_t count = (uint32_t)strtoul(argv[1], NULL, 10);
  seed_with((uint32_t)strtoul(argv[2], NULL, 10));
  populate(count);
  char operation[16];
  double milliseconds;
  while (scanf("%15s %lf", operation, &milliseconds) == 2) {
    double total = 0;
    uint64_t done = 0;
    while (total < milliseconds * 1e6) {
      double elapsed = run(operation, count, SPARE);
      if (elapsed == 0) return 2;
      total += elapsed;
      done += SPARE;
    }
    printf("%.3f\n", total / (double)done);
    fflush(stdout);
  }
  return 0;
}

/*
 * usage: best-fit COUNT SEED
 * A best-fit allocator of pages: free runs in a red-black tree by length and address, neighbours by
 * a tag in the first and the last page of every run. Holds COUNT blocks. For each line "mixed
 * MILLISECONDS" of input, goes on replacing blocks for about that long and prints how many
 * nanoseconds one allocation or one release took. Ends with its input.
 *
 * The blocks, and the order in which they are replaced, are those of ../page-blocks.ts.
 * Source of the tree: CLRS, chapter "Red-Black Trees", with entry 0 as its sentinel.
 */

#define _POSIX_C_SOURCE 199309L

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "prng.h"

enum { PICKS = 1 << 20, MAX_PAGES = 16, BATCH = 256 };

/* What is known of a page: of the first and the last of a run its length, negative if in use. */
typedef struct {
  uint32_t left, right, parent;
  int32_t length;
  bool is_red;
} Page;

static Page *pages; /* from 1; entry 0 is nobody */
static uint32_t root, page_count;

static bool is_before(uint32_t a, uint32_t b) {
  if (pages[a].length != pages[b].length) return pages[a].length < pages[b].length;
  return a < b;
}

static void replace_child(uint32_t parent, uint32_t old, uint32_t new) {
  if (parent == 0) root = new;
  else if (pages[parent].left == old) pages[parent].left = new;
  else pages[parent].right = new;
  pages[new].parent = parent;
}

static void rotate_tree(uint32_t x, bool to_left) {
  uint32_t y = to_left ? pages[x].right : pages[x].left;
  uint32_t middle = to_left ? pages[y].left : pages[y].right;
  if (to_left) pages[x].right = middle;
  else pages[x].left = middle;
  if (middle != 0) pages[middle].parent = x;
  replace_child(pages[x].parent, x, y);
  if (to_left) pages[y].left = x;
  else pages[y].right = x;
  pages[x].parent = y;
}

static void insert(uint32_t z) {
  uint32_t parent = 0;
  for (uint32_t x = root; x != 0;) {
    parent = x;
    x = is_before(z, x) ? pages[x].left : pages[x].right;
  }
  pages[z].left = pages[z].right = 0;
  pages[z].parent = parent;
  pages[z].is_red = true;
  if (parent == 0) root = z;
  else if (is_before(z, parent)) pages[parent].left = z;
  else pages[parent].right = z;
  while (pages[pages[z].parent].is_red) {
    uint32_t up = pages[z].parent, top = pages[up].parent;
    bool is_left = pages[top].left == up;
    uint32_t uncle = is_left ? pages[top].right : pages[top].left;
    if (pages[uncle].is_red) {
      pages[up].is_red = pages[uncle].is_red = false;
      pages[top].is_red = true;
      z = top;
      continue;
    }
    if (z == (is_left ? pages[up].right : pages[up].left)) {
      z = up;
      rotate_tree(z, is_left);
      up = pages[z].parent;
    }
    pages[up].is_red = false;
    pages[top].is_red = true;
    rotate_tree(top, !is_left);
  }
  pages[root].is_red = false;
}

static void fix_removal(uint32_t x) {
  while (x != root && !pages[x].is_red) {
    uint32_t up = pages[x].parent;
    bool is_left = pages[up].left == x;
    uint32_t w = is_left ? pages[up].right : pages[up].left;
    if (pages[w].is_red) {
      pages[w].is_red = false;
      pages[up].is_red = true;
      rotate_tree(up, is_left);
      w = is_left ? pages[up].right : pages[up].left;
    }
    uint32_t near = is_left ? pages[w].left : pages[w].right;
    uint32_t far = is_left ? pages[w].right : pages[w].left;
    if (!pages[near].is_red && !pages[far].is_red) {
      pages[w].is_red = true;
      x = up;
      continue;
    }
    if (!pages[far].is_red) {
      pages[near].is_red = false;
      pages[w].is_red = true;
      rotate_tree(w, !is_left);
      far = w;
      w = near;
    }
    pages[w].is_red = pages[up].is_red;
    pages[up].is_red = pages[far].is_red = false;
    rotate_tree(up, is_left);
    x = root;
  }
  pages[x].is_red = false;
}

static void remove_run(uint32_t z) {
  uint32_t y = z, x;
  bool was_red = pages[y].is_red;
  if (pages[z].left == 0 || pages[z].right == 0) {
    x = pages[z].left != 0 ? pages[z].left : pages[z].right;
    replace_child(pages[z].parent, z, x);
  } else {
    for (y = pages[z].right; pages[y].left != 0;) y = pages[y].left;
    was_red = pages[y].is_red;
    x = pages[y].right;
    if (pages[y].parent == z) {
      pages[x].parent = y;
    } else {
      replace_child(pages[y].parent, y, x);
      pages[y].right = pages[z].right;
      pages[pages[y].right].parent = y;
    }
    replace_child(pages[z].parent, z, y);
    pages[y].left = pages[z].left;
    pages[pages[y].left].parent = y;
    pages[y].is_red = pages[z].is_red;
  }
  if (!was_red) fix_removal(x);
  pages[0].parent = 0;
}

static void tag(uint32_t first, int32_t length) {
  pages[first].length = length;
  pages[first + (uint32_t)abs(length) - 1].length = length;
}

static uint32_t allocate(int32_t length) {
  uint32_t best = 0;
  for (uint32_t x = root; x != 0;) {
    if (pages[x].length < length) {
      x = pages[x].right;
    } else {
      best = x;
      x = pages[x].left;
    }
  }
  if (best == 0) abort();
  int32_t rest = pages[best].length - length;
  remove_run(best);
  tag(best, -length);
  if (rest > 0) {
    tag(best + (uint32_t)length, rest);
    insert(best + (uint32_t)length);
  }
  return best;
}

static void release(uint32_t first) {
  int32_t length = -pages[first].length;
  uint32_t behind = first + (uint32_t)length;
  if (behind <= page_count && pages[behind].length > 0) {
    remove_run(behind);
    length += pages[behind].length;
  }
  if (first > 1 && pages[first - 1].length > 0) {
    int32_t before = pages[first - 1].length;
    first -= (uint32_t)before;
    remove_run(first);
    length += before;
  }
  tag(first, length);
  insert(first);
}

static uint32_t *held, *picks, cursor;
static uint8_t *lengths;

static void replace_blocks(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t slot = picks[cursor];
    release(held[slot]);
    held[slot] = allocate(lengths[cursor]);
    cursor = (cursor + 1) % PICKS;
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  uint32_t count = (uint32_t)strtoul(argv[1], NULL, 10);
  seed_with((uint32_t)strtoul(argv[2], NULL, 10));
  page_count = count * MAX_PAGES;
  pages = calloc((size_t)page_count + 2, sizeof *pages);
  held = calloc(count, sizeof *held);
  picks = calloc(PICKS, sizeof *picks);
  lengths = calloc(PICKS, sizeof *lengths);
  if (!pages || !held || !picks || !lengths) abort();
  for (uint32_t i = 0; i < PICKS; i++) {
    picks[i] = below(count);
    lengths[i] = (uint8_t)(1 + below(MAX_PAGES));
  }
  tag(1, (int32_t)page_count);
  insert(1);
  for (uint32_t i = 0; i < count; i++) held[i] = allocate(lengths[i % PICKS]);
  replace_blocks(count);
  char operation[16];
  double milliseconds;
  while (scanf("%15s %lf", operation, &milliseconds) == 2) {
    if (strcmp(operation, "mixed") != 0) return 2;
    double start = now(), elapsed = 0;
    uint64_t done = 0;
    while (elapsed < milliseconds * 1e6) {
      replace_blocks(BATCH);
      done += BATCH;
      elapsed = now() - start;
    }
    printf("%.3f\n", elapsed / (2.0 * (double)done));
    fflush(stdout);
  }
  return 0;
}

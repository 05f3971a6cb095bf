/*
 * The mapping database once more, in C: the same AA tree with the same summaries, in the same
 * 64-byte entries with the same links, and the same order. It is what the one in TypeScript is held
 * against, so it follows its sources function by function: key.ts, balance.ts, mdb.ts,
 * relations.ts and mdb-range.ts in packages/kernel/caps/src. Whoever changes those changes this.
 */

#include "mdb.h"

#include <assert.h>

Entry *entries;
uint8_t kind_of[TYPES], root_of[TYPES];
uint64_t host_bytes[TYPES];

static Slot tree;

/* ---- key.ts ---- */

static bool is_leaf_type(unsigned type) {
  return kind_of[type] == MAPPING || kind_of[type] == ENDPOINT;
}

static uint64_t base_of(const Entry *e) {
  switch (kind_of[e->type]) {
    case RANGE: return e->arg0;
    case ID: return ((uint64_t)e->arg0 << 32) + e->arg1;
    case TOKEN: return 0;
    default: return e->base;
  }
}

static uint64_t bytes_of(const Entry *e) {
  switch (kind_of[e->type]) {
    case MEMORY: return e->bytes;
    case MAPPING: return host_bytes[e->type] ? host_bytes[e->type] : (uint64_t)e->table_head * PAGE;
    case ENDPOINT: return host_bytes[e->type];
    case RANGE: return (uint64_t)e->arg1 - e->arg0 + 1;
    case ID: return 1;
    default: return (uint64_t)1 << 52;
  }
}

static uint64_t end_of(Slot slot) {
  return base_of(&entries[slot]) + bytes_of(&entries[slot]);
}

static void read_key(Slot slot, Key *key) {
  const Entry *e = &entries[slot];
  unsigned kind = kind_of[e->type];
  bool hangs = kind == MAPPING || kind == ENDPOINT;
  key->root = root_of[e->type];
  key->base = base_of(e);
  key->bytes = bytes_of(e);
  key->type = e->type;
  key->extra0 = kind == MAPPING ? e->bytes : 0;
  key->extra1 = hangs ? e->arg0 : 0;
  key->extra2 = hangs ? e->arg1 : 0;
  key->slot = slot;
}

static void to_front(Key *key) {
  key->extra0 = 0;
  key->extra1 = key->extra2 = 0;
  key->slot = 0;
}

static int order_of(uint64_t a, uint64_t b) {
  return a < b ? -1 : a > b;
}

static int compare_leaf(const Key *key, const Entry *e) {
  uint64_t table = kind_of[e->type] == MAPPING ? e->bytes : 0;
  if (key->extra0 != table) return order_of(key->extra0, table);
  if (key->extra1 != e->arg0) return order_of(key->extra1, e->arg0);
  return order_of(key->extra2, e->arg1);
}

static int compare_object(const Key *key, Slot slot) {
  const Entry *e = &entries[slot];
  unsigned root = root_of[e->type];
  if (key->root != root) return key->root < root ? -1 : 1;
  uint64_t base = base_of(e);
  if (key->base != base) return key->base < base ? -1 : 1;
  uint64_t bytes = bytes_of(e);
  if (key->bytes != bytes) return key->bytes > bytes ? -1 : 1;
  if (key->type != e->type) return key->type < e->type ? -1 : 1;
  return is_leaf_type(e->type) ? compare_leaf(key, e) : 0;
}

static int compare_to_slot(const Key *key, Slot slot) {
  int order = compare_object(key, slot);
  return order != 0 ? order : order_of(key->slot, slot);
}

/* ---- balance.ts ---- */

static int level_of(Slot node) {
  return node == 0 ? -1 : entries[node].level;
}

static void copy_end(Slot target, Slot source) {
  entries[target].end_root = entries[source].end_root;
  entries[target].end = entries[source].end;
}

/* Raise the summary of `node` to that of `below`; whether that was further. */
static bool extend_end(Slot node, Slot below) {
  const Entry *e = &entries[node], *b = &entries[below];
  if (b->end_root < e->end_root || (b->end_root == e->end_root && b->end <= e->end)) return false;
  copy_end(node, below);
  return true;
}

static void set_own_end(Slot node) {
  entries[node].end_root = root_of[entries[node].type];
  entries[node].end = end_of(node);
}

static bool has_same_end(Slot a, Slot b) {
  return entries[a].end_root == entries[b].end_root && entries[a].end == entries[b].end;
}

static void refresh(Slot node) {
  const Entry *e = &entries[node];
  set_own_end(node);
  if (e->right != 0) extend_end(node, e->right);
  if (e->left != 0) extend_end(node, e->left);
}

static Slot skew(Slot node) {
  Slot left = entries[node].left;
  if (left == 0 || level_of(left) != level_of(node)) return node;
  entries[node].left = entries[left].right;
  entries[left].right = node;
  copy_end(left, node);
  refresh(node);
  return left;
}

static Slot split(Slot node) {
  Slot right = entries[node].right;
  if (right == 0 || level_of(entries[right].right) != level_of(node)) return node;
  entries[node].right = entries[right].left;
  entries[right].left = node;
  entries[right].level++;
  copy_end(right, node);
  refresh(node);
  return right;
}

/* Restore the rules at `node`, now that its child `below` is as high; what then stands there. */
static Slot rebalance_grown(Slot node, Slot below) {
  return split(entries[node].left == below ? skew(node) : node);
}

/* Restore the rules at `node` after a removal at its child `below`; what then stands there. */
static Slot rebalance_shrunk(Slot node, Slot below) {
  Entry *e = &entries[node];
  int allowed = level_of(below) + 1;
  if (allowed >= e->level) return e->left == below ? node : split(node);
  e->level = (uint8_t)allowed;
  if (level_of(e->right) > allowed) entries[e->right].level = (uint8_t)allowed;
  Slot top = skew(node);
  Slot second = entries[top].right;
  if (second != 0) {
    Slot skewed = skew(second);
    entries[top].right = skewed;
    Slot third = entries[skewed].right;
    if (third != 0) entries[skewed].right = skew(third);
  }
  Slot raised = split(top);
  Slot next = entries[raised].right;
  if (next != 0) entries[raised].right = split(next);
  return raised;
}

/* ---- mdb.ts ---- */

static Slot path[64];

/* Where `old` hangs, below the path of length `depth`, hang `node`. */
static void replace_below(int depth, Slot old, Slot node) {
  if (depth == 0) tree = node;
  else if (entries[path[depth - 1]].left == old) entries[path[depth - 1]].left = node;
  else entries[path[depth - 1]].right = node;
}

/* Go down to where `slot` belongs; how many entries are in `path` then. */
static int descend(Slot slot, bool *is_left) {
  Key key;
  read_key(slot, &key);
  int depth = 0;
  for (Slot next = tree; next != 0;) {
    path[depth++] = next;
    *is_left = compare_to_slot(&key, next) <= 0;
    next = *is_left ? entries[next].left : entries[next].right;
  }
  return depth;
}

static void settle_grown(int depth, Slot added) {
  Slot below = added;
  bool is_end_open = true, is_uneven = true;
  for (int i = depth - 1; i >= 0 && (is_end_open || is_uneven); i--) {
    Slot node = path[i];
    is_end_open = is_end_open && extend_end(node, below);
    is_uneven = is_uneven && entries[node].level == entries[below].level;
    below = is_uneven ? rebalance_grown(node, below) : node;
    if (below != node) replace_below(i, node, below);
  }
}

/* The summary of `gone` is how far that entry alone reached. */
static void settle_shrunk(int depth, int stop, Slot gone, Slot below) {
  bool is_end_open = true, is_uneven = true;
  for (int i = depth - 1; i >= stop && (is_end_open || is_uneven); i--) {
    Slot node = path[i];
    is_end_open = is_end_open && has_same_end(node, gone);
    if (is_end_open) {
      refresh(node);
      is_end_open = !has_same_end(node, gone);
    }
    if (is_uneven) {
      int level = entries[node].level;
      below = rebalance_shrunk(node, below);
      if (below != node) replace_below(i, node, below);
      is_uneven = below != node || entries[node].level != level;
    }
  }
}

void mdb_insert(Slot slot) {
  assert(entries[slot].end_root == 0);
  entries[slot].level = 0;
  set_own_end(slot);
  bool is_left = false;
  int depth = descend(slot, &is_left);
  if (depth == 0) {
    tree = slot;
    return;
  }
  if (is_left) entries[path[depth - 1]].left = slot;
  else entries[path[depth - 1]].right = slot;
  settle_grown(depth, slot);
}

/* Replace the entry at `place`, which has a left child, by the entry before it. */
static void remove_inner(int depth, int place) {
  Slot gone = path[place], heir = path[depth - 1];
  replace_below(depth - 1, heir, 0);
  settle_shrunk(depth - 1, place + 1, heir, 0);
  entries[heir].left = entries[gone].left;
  entries[heir].right = entries[gone].right;
  entries[heir].level = entries[gone].level;
  copy_end(heir, gone);
  path[place] = heir;
  replace_below(place, gone, heir);
  set_own_end(gone);
  settle_shrunk(place + 1, 0, gone, entries[heir].left);
}

void mdb_remove(Slot slot) {
  bool is_left;
  int depth = descend(slot, &is_left), place = depth - 1;
  while (place >= 0 && path[place] != slot) place--;
  assert(place >= 0);
  Entry *e = &entries[slot];
  if (e->left == 0) {
    set_own_end(slot);
    replace_below(place, slot, e->right);
    settle_shrunk(place, 0, slot, e->right);
  } else {
    remove_inner(depth, place);
  }
  e->left = e->right = 0;
  e->level = e->end_root = 0;
  e->end = 0;
}

static Slot first_from(const Key *key) {
  Slot best = 0;
  for (Slot node = tree; node != 0;) {
    if (compare_to_slot(key, node) <= 0) {
      best = node;
      node = entries[node].left;
    } else {
      node = entries[node].right;
    }
  }
  return best;
}

static Slot last_before(const Key *key) {
  Slot best = 0;
  for (Slot node = tree; node != 0;) {
    if (compare_to_slot(key, node) <= 0) {
      node = entries[node].left;
    } else {
      best = node;
      node = entries[node].right;
    }
  }
  return best;
}

static bool holds_beyond(Slot node, unsigned root, uint64_t point) {
  return entries[node].end_root == root && entries[node].end > point;
}

static bool reaches_beyond(Slot node, unsigned root, uint64_t point) {
  return root_of[entries[node].type] == root && end_of(node) > point;
}

static Slot last_below(Slot node, unsigned root, uint64_t point) {
  for (;;) {
    const Entry *e = &entries[node];
    if (e->right != 0 && holds_beyond(e->right, root, point)) node = e->right;
    else if (reaches_beyond(node, root, point)) return node;
    else node = e->left;
  }
}

static Slot last_reaching(const Key *key, uint64_t point) {
  unsigned root = key->root;
  int count = 0;
  for (Slot node = tree; node != 0;) {
    const Entry *e = &entries[node];
    if (e->end_root < root || (e->end_root == root && e->end <= point)) break;
    if (compare_to_slot(key, node) <= 0) {
      node = e->left;
    } else {
      path[count++] = node;
      node = e->right;
    }
  }
  while (count > 0) {
    Slot node = path[--count];
    if (reaches_beyond(node, root, point)) return node;
    Slot left = entries[node].left;
    if (left != 0 && holds_beyond(left, root, point)) return last_below(left, root, point);
  }
  return 0;
}

/* ---- relations.ts ---- */

Slot find_object(unsigned type, uint64_t base, uint64_t bytes) {
  Key key = {.root = root_of[type], .base = base, .bytes = bytes, .type = type};
  Slot found = first_from(&key);
  return found != 0 && compare_object(&key, found) == 0 ? found : 0;
}

/* ---- mdb-range.ts ---- */

static Key key_at(unsigned root, uint64_t base) {
  return (Key){.root = root, .base = base, .bytes = UINT64_MAX};
}

static Slot object_reaching(Key *key, uint64_t point) {
  for (;;) {
    Slot slot = last_reaching(key, point);
    if (slot == 0) return 0;
    read_key(slot, key);
    to_front(key);
    if (!is_leaf_type(key->type)) return slot;
  }
}

static Slot last_object_before(Key *key) {
  for (;;) {
    Slot slot = last_before(key);
    if (slot == 0 || !is_leaf_type(entries[slot].type)) return slot;
    read_key(slot, key);
    to_front(key);
  }
}

static bool is_of_root(Slot slot, unsigned root) {
  return slot != 0 && root_of[entries[slot].type] == root;
}

Answer find_range(unsigned type, uint64_t base, uint64_t bytes) {
  Answer answer = {NOT_FOUND, 0};
  unsigned root = root_of[type];
  uint64_t end = base + bytes;
  Key key = key_at(root, base);
  for (Slot slot; (slot = object_reaching(&key, base)) != 0;) {
    if (end_of(slot) < end) return (Answer){PARTIAL, slot};
    if (answer.kind == NOT_FOUND) answer = (Answer){SURROUNDING, slot};
  }
  key = key_at(root, end);
  Slot crossing = object_reaching(&key, end);
  if (crossing != 0 && base_of(&entries[crossing]) > base) return (Answer){PARTIAL, crossing};
  key = key_at(root, base);
  key.bytes = bytes;
  key.type = UINT32_MAX;
  Slot inner = first_from(&key);
  if (is_of_root(inner, root) && base_of(&entries[inner]) < end) return (Answer){INNER, inner};
  Slot covering = last_object_before(&key);
  if (is_of_root(covering, root) && base_of(&entries[covering]) == base) {
    return (Answer){SURROUNDING, covering};
  }
  return answer;
}

/*
 * The mapping database once more, in C: the same AA tree with the same summaries, in the same
 * 64-byte entries with the same links, and the same order. It is what the one in TypeScript is held
 * against, so it follows its sources function by function: key.ts, mdb.ts, relations.ts and
 * mdb-range.ts in packages/kernel/caps/src. Whoever changes those changes this.
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

/* ---- mdb.ts ---- */

static int level_of(Slot node) {
  return node == 0 ? -1 : entries[node].level;
}

static void refresh(Slot node) {
  Entry *e = &entries[node];
  unsigned own_root = root_of[e->type], end_root = own_root;
  uint64_t end = base_of(e) + bytes_of(e);
  if (e->right != 0) {
    const Entry *right = &entries[e->right];
    end_root = right->end_root;
    if (end_root != own_root || right->end > end) end = right->end;
  }
  if (e->left != 0 && entries[e->left].end_root == end_root) {
    if (entries[e->left].end > end) end = entries[e->left].end;
  }
  e->end_root = (uint8_t)end_root;
  e->end = end;
}

static Slot skew(Slot node) {
  Slot left = entries[node].left;
  if (left == 0 || level_of(left) != level_of(node)) return node;
  entries[node].left = entries[left].right;
  entries[left].right = node;
  refresh(node);
  refresh(left);
  return left;
}

static Slot split(Slot node) {
  Slot right = entries[node].right;
  if (right == 0 || level_of(entries[right].right) != level_of(node)) return node;
  entries[node].right = entries[right].left;
  entries[right].left = node;
  entries[right].level++;
  refresh(node);
  refresh(right);
  return right;
}

/* Restore the rules at `node` after something below it was removed. */
static Slot rebalance(Slot node) {
  refresh(node);
  Entry *e = &entries[node];
  int left = level_of(e->left), right = level_of(e->right);
  int allowed = (left < right ? left : right) + 1;
  if (allowed == e->level) return split(node);
  e->level = (uint8_t)allowed;
  if (allowed < right) entries[e->right].level = (uint8_t)allowed;
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

/* Something that ends at `end` in name space `root` is new below `node`. */
static void extend(Slot node, unsigned root, uint64_t end) {
  Entry *e = &entries[node];
  if (root < e->end_root || (root == e->end_root && end <= e->end)) return;
  e->end_root = (uint8_t)root;
  e->end = end;
}

static Slot insert_below(Slot node, Slot slot, const Key *key) {
  if (node == 0) return slot;
  int order = compare_to_slot(key, node);
  assert(order != 0);
  if (order < 0) entries[node].left = insert_below(entries[node].left, slot, key);
  else entries[node].right = insert_below(entries[node].right, slot, key);
  extend(node, key->root, key->base + key->bytes);
  return split(skew(node));
}

static Slot rightmost(Slot node) {
  while (entries[node].right != 0) node = entries[node].right;
  return node;
}

static Slot remove_rightmost(Slot node) {
  if (entries[node].right == 0) return entries[node].left;
  entries[node].right = remove_rightmost(entries[node].right);
  return rebalance(node);
}

static Slot remove_node(Slot node) {
  Slot left = entries[node].left, right = entries[node].right;
  if (left == 0) return right;
  Slot heir = rightmost(left);
  Slot rest = remove_rightmost(left);
  entries[heir].left = rest;
  entries[heir].right = right;
  entries[heir].level = entries[node].level;
  return rebalance(heir);
}

static Slot remove_below(Slot node, const Key *key) {
  assert(node != 0);
  int order = compare_to_slot(key, node);
  if (order == 0) return remove_node(node);
  if (order < 0) entries[node].left = remove_below(entries[node].left, key);
  else entries[node].right = remove_below(entries[node].right, key);
  return rebalance(node);
}

void mdb_insert(Slot slot) {
  Key key;
  read_key(slot, &key);
  entries[slot].level = 0;
  refresh(slot);
  tree = insert_below(tree, slot, &key);
}

void mdb_remove(Slot slot) {
  Key key;
  read_key(slot, &key);
  tree = remove_below(tree, &key);
  Entry *e = &entries[slot];
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

static Slot last_reaching(Slot node, const Key *key, uint64_t point) {
  if (node == 0) return 0;
  const Entry *e = &entries[node];
  if (e->end_root < key->root || (e->end_root == key->root && e->end <= point)) return 0;
  if (compare_to_slot(key, node) <= 0) return last_reaching(e->left, key, point);
  Slot later = last_reaching(e->right, key, point);
  if (later != 0) return later;
  if (root_of[e->type] == key->root && base_of(e) + bytes_of(e) > point) return node;
  return last_reaching(e->left, key, point);
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
    Slot slot = last_reaching(tree, key, point);
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

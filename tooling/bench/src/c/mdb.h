/* Entries, slots and keys of the mapping database in C; see mdb.c. */

#include <stdbool.h>
#include <stdint.h>

/* What an extent is, by type, as `Extent` in key.ts. */
enum { MEMORY, MAPPING, ENDPOINT, RANGE, ID, TOKEN };

/* `Cte` in packages/base/spec/src/cte.ts. */
typedef struct {
  uint8_t type, rights, owner, flags;
  uint8_t level, end_root;
  uint16_t iftype;
  uint64_t base, bytes;
  uint32_t arg0, arg1;
  uint32_t left, right;
  uint64_t end;
  uint32_t next, table_next, table_prev, table_head;
} Entry;

_Static_assert(sizeof(Entry) == 64, "an entry is as long as a slot");

/* A slot: the index of an entry, 0 for none. */
typedef uint32_t Slot;

typedef struct {
  unsigned root;
  uint64_t base, bytes;
  unsigned type;
  uint64_t extra0;
  uint32_t extra1, extra2;
  Slot slot;
} Key;

enum { NOT_FOUND, SURROUNDING, INNER, PARTIAL };

typedef struct {
  int kind;
  Slot slot;
} Answer;

enum { PAGE = 4096, TYPES = 64 };

/* All slots; entry 0 is none. */
extern Entry *entries;
/* The type table, by type number: extent kind, type root, bytes of the object it hangs on. */
extern uint8_t kind_of[TYPES], root_of[TYPES];
extern uint64_t host_bytes[TYPES];

void mdb_insert(Slot slot);
void mdb_remove(Slot slot);
Slot find_object(unsigned type, uint64_t base, uint64_t bytes);
Answer find_range(unsigned type, uint64_t base, uint64_t bytes);

// shard.h - one part of a csp_syncmap: a hash table with a lock for its writers and a sequence number for its readers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Why not a lock for readers too: taking one is a write, and cores that read one popular key would pass its line around. A
// reader looks at the sequence number, searches, copies, and looks again: even and unchanged, it has seen the table as it was
// at one instant. That is its linearisation point. After a few failures it takes the lock.
//
// Invariants  I1 seq is odd exactly while the lock's holder changes the shard
//             I2 what a reader without the lock may still look at - outgrown tables, characters of deleted keys - is not given
//                back before the map is freed. Tables are kept in a list (together no larger than the present one); characters
//                are reused for keys of the same size class, so reading the length one has seen stays inside the block.
// Ordering    E1 change: store-release of seq and table -> reader: load-acquire; carries the table
//             E2 reader: acquire fence before its second look at seq; change: release fence behind seq's odd value. If a reader
//                saw anything of the change, it sees that seq has moved on.
// Entries are written plainly and read by relaxed atomics of at most a word: a torn read is thrown away by E2.
//
// Detector. Each key that is there has a clock of its own, named by a cell that its entry points to; keys that are not there
// share those of their shard's `absent`, which accumulate: a load that finds nothing is ordered after every delete of a
// thousandth of the keys, which is more than there is. An operation and its clocks' change are one step under the lock, so with
// a detector reads take it, too.
#ifndef CSP_RUNTIME_SHARD_H
#define CSP_RUNTIME_SHARD_H

#include "base/lock.h"
#include "hooks.h"
#include "table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How many shards a map has: a hash's lower bits choose among them, its upper ones a place in the shard's table.
enum { CSPI_SHARDS = 64, CSPI_ABSENT_CLOCKS = 16 };

typedef struct cspi_string_pool cspi_string_pool;

typedef struct cspi_shard {
    cspi_lock lock;
    uint32_t seq;           // E1, E2; changed under lock
    cspi_table *table;      // E1; changed under lock. NULL: nothing was ever stored
    cspi_string_pool *pool; // under lock. NULL: no key was ever deleted
    size_t count;           // changed under lock
#if CSP_HOOKS
    uint64_t absent[CSPI_ABSENT_CLOCKS]; // addresses that name clocks
#endif
} __attribute__((aligned(64))) cspi_shard; // a cache line of its own

// The same for all shards of a map.
typedef struct cspi_shard_kind {
    cspi_shape shape;
    size_t value_size; // shape's may have the clock's cell behind it
} cspi_shard_kind;

cspi_shard_kind cspi_shard_kind_of(size_t key_size, size_t value_size);

// False: no consistent look was to be had without the lock. True: *found, and value (may be NULL) was copied if so.
bool cspi_shard_read(const cspi_shard_kind *kind, const cspi_shard *s, const cspi_key *key, void *value, bool *found);

// What an operation has in its hands: the shard, locked, and where the key is in it.
typedef struct cspi_shard_use {
    const cspi_shard_kind *kind;
    cspi_shard *s;
    cspi_key key;
    size_t place;
    bool found;
} cspi_shard_use;

// Takes the lock; cspi_shard_done releases it.
cspi_shard_use cspi_shard_look(const cspi_shard_kind *kind, cspi_shard *s, const cspi_key *key);
void cspi_shard_done(const cspi_shard_use *u);
// The operation tells its caller what it found: the order that comes with it.
void cspi_shard_see(const cspi_shard_use *u);
const void *cspi_shard_value(const cspi_shard_use *u); // found only
void cspi_shard_put(cspi_shard_use *u, const void *value);
void cspi_shard_take_out(cspi_shard_use *u); // found only

// Takes out all entries. Caller holds the lock, or is alone.
void cspi_shard_empty(const cspi_shard_kind *kind, cspi_shard *s);
// Gives back all memory. Caller is alone.
void cspi_shard_fini(const cspi_shard_kind *kind, cspi_shard *s);

// One entry's copy.
typedef struct cspi_shard_copy {
    unsigned char *value;
    unsigned char *key;
    size_t key_room;
} cspi_shard_copy;

enum cspi_shard_step { CSPI_SHARD_COPIED, CSPI_SHARD_NO_MORE, CSPI_SHARD_NO_ROOM };

// Copies the next entry from hash *from on and steps *from. NO_ROOM: the key has *key_bytes.
enum cspi_shard_step cspi_shard_next(const cspi_shard_kind *kind, cspi_shard *s, uint64_t *from, cspi_shard_copy *copy,
                                     size_t *key_bytes);

#endif

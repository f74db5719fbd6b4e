// map.h - hash maps: csp_map, which ends the program when it is used concurrently, and csp_syncmap, which is made for that.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Keys and values are copied, byte for byte. A map made by _new has keys of key_size bytes, compared as bytes: of a struct
// with padding, set all of it to zero first; floating point keys are equal when their bits are. A map made by _new_str has
// strings for keys; `key` then points to the characters, up to a NUL, and the map keeps a copy of its own. Values may have any
// size, also 0 (a set). In what follows a `value` that is an output may be NULL. Out of memory is a fatal error. No function
// here parks. typed_map.h has both kinds of map with the compiler checking the types.
#ifndef CSP_MAP_H
#define CSP_MAP_H

#include "site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// --- csp_map --------------------------------------------------------------------------------------------------------------
// For one coroutine at a time: readers among themselves are fine, a writer is alone. Breaking that is a bug of the program, and
// the map looks for it in every call, at the price of two plain loads: what it notices ends the program with `fatal error:
// concurrent map read and map write`, `concurrent map writes` or `concurrent map iteration and map write`. It notices calls
// that really overlap; -fsanitize=cspthread reports every pair that nothing orders. For the detector get, at, len and next are
// reads of the map, everything else is a write. NULL is Go's nil map: it is empty, and adding to it panics: "assignment to
// entry in nil map". Go: map[K]V.
typedef struct csp_map csp_map;

csp_map *csp_map_new(size_t key_size, size_t value_size); // key_size 0 panics
csp_map *csp_map_new_str(size_t value_size);
// Nobody may use it any more. NULL: nothing.
void csp_map_free(csp_map *m);

// True: *value is key's. False: it is not there, *value is zeroed (but not by a NULL map, which knows no size).
// (v, ok := m[k])
bool csp_map_get(const csp_map *m, const void *key, void *value);
// Where key's value lies in the map, to be read and changed in place; NULL: it is not there. The next set, ensure, delete,
// clear or free of this map, whatever its key, ends the pointer's life.
void *csp_map_at(const csp_map *m, const void *key);
// As csp_map_at, but adds the key with a value of zero bytes when it is not there: (*count)++ then does m[k]++.
void *csp_map_ensure(csp_map *m, const void *key);
// Adds key, or gives it another value. value NULL: zero bytes. (m[k] = v)
void csp_map_set(csp_map *m, const void *key, const void *value);
// False: it was not there. (delete(m, k))
bool csp_map_delete(csp_map *m, const void *key);
size_t csp_map_len(const csp_map *m);
// Deletes all; keeps the memory for as many again. (clear(m))
void csp_map_clear(csp_map *m);

// An iteration, begun by csp_map_each and given up by just not going on; it needs no clean-up. The fields are the map's.
typedef struct csp_map_iter {
    const csp_map *map;
    uint64_t from, start;
    bool wrapped;
} csp_map_iter;

// Begins at a random place, so that no program comes to rely on an order.
csp_map_iter csp_map_each(const csp_map *m);
// Steps to the next entry. False: that was the last. *key and *value (either may be NULL) then point into the map, to the key's
// bytes or characters and to the value, for as long as csp_map_at's pointer lives. The iterating coroutine itself may set and
// delete meanwhile: each key that is there throughout comes exactly once, one that is added or deleted comes or does not.
bool csp_map_next(csp_map_iter *it, const void **key, void **value);

// --- csp_syncmap ----------------------------------------------------------------------------------------------------------
// For any number of coroutines and threads at once; loads take no lock and write nothing, so that they do not slow down one
// another. A store (or whatever else writes or deletes a key) happens before a load, or whatever else looks at that key, that
// sees it. NULL is empty, and storing to it panics as above (as do swap and load_or_store). Memory of deleted keys is kept for later ones until the map is
// freed. Go: sync.Map.
typedef struct csp_syncmap csp_syncmap;

csp_syncmap *csp_syncmap_new(size_t key_size, size_t value_size); // key_size 0 panics
csp_syncmap *csp_syncmap_new_str(size_t value_size);
// Nobody may use it any more. NULL: nothing.
void csp_syncmap_free(csp_syncmap *m);

// True: *value is key's. False: it is not there, *value is zeroed. (Load)
bool csp_syncmap_load(csp_syncmap *m, const void *key, void *value);
// Adds key, or gives it another value. (Store)
void csp_syncmap_store(csp_syncmap *m, const void *key, const void *value);
// True: key was there, *actual is its value. False: it was not and now has `value`, as does *actual. (LoadOrStore)
bool csp_syncmap_load_or_store(csp_syncmap *m, const void *key, const void *value, void *actual);
// Takes key out. True: *value is what it had. False: it was not there, *value is zeroed. (LoadAndDelete)
bool csp_syncmap_load_and_delete(csp_syncmap *m, const void *key, void *value);
// False: it was not there. (Delete)
bool csp_syncmap_delete(csp_syncmap *m, const void *key);
// As store. `previous` is another buffer than `value`. True: *previous is what it had. False: it was not there, *previous is zeroed. (Swap)
bool csp_syncmap_swap(csp_syncmap *m, const void *key, const void *value, void *previous);
// Stores `value` if key is there with the bytes of `expected`. False: it is not. (CompareAndSwap)
bool csp_syncmap_compare_and_swap(csp_syncmap *m, const void *key, const void *expected, const void *value);
// Deletes key if it is there with the bytes of `expected`. False: it is not. (CompareAndDelete)
bool csp_syncmap_compare_and_delete(csp_syncmap *m, const void *key, const void *expected);
// Calls fn for each entry with copies of key and value, until it returns false; no lock is held, so fn may park and may use the
// map. A key that is there throughout comes exactly once; it is no snapshot. (Range)
void csp_syncmap_range(csp_syncmap *m, bool (*fn)(const void *key, void *value, void *arg), void *arg);
// Deletes all that is there; not in one instant. (Clear)
void csp_syncmap_clear(csp_syncmap *m);
// A moment's number; orders nothing.
size_t csp_syncmap_len(const csp_syncmap *m);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif

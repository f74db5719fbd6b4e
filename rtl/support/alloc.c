// alloc.c - size-class free lists over chunks of mmap; blocks above the largest class are mappings of their own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why: the detector runs inside malloc, before constructors and in signal handlers' way, so it needs memory that depends on
//      nothing but the kernel. Blocks are small and short-lived (clock leaves, stamps), hence lists per class, one lock each,
//      and a few small blocks beside them that are the thread's own. A signal's handler waits until the thread has left the
//      detector (rule G1), so nobody comes between.
// Invariants:  I1 a block on a free list is all zero but for its link   I2 classes are multiples of 16 bytes
//              I3 an ended thread has no spares
#include "support/alloc.h"

#include "rtl.h"
#include "support/lock.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { N_CLASSES = 48, CHUNK_BYTES = 1 << 20 };
#define LARGEST ((size_t)(CHUNK_BYTES / 16))

typedef struct free_block {
    struct free_block *next;
} free_block;

static struct {
    cspr_lock lock;
    free_block *free;
} classes[N_CLASSES];

enum { SPARE_CLASSES = 12, SPARES = 16 }; // those up to 256 bytes: 22 KB a thread at most

static __thread struct {
    struct {
        free_block *first;
        uint32_t n;
    } of[SPARE_CLASSES];
    bool has_ended;
} spare __attribute__((tls_model("initial-exec")));

static struct {
    cspr_lock lock;
    char *at, *end;
} chunk;

static void *map(size_t size)
{
    int saved = errno;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        cspr_die("out of memory: cannot map %zu bytes for the detector (errno %d)", size, errno);
    errno = saved;
    return p;
}

void *cspr_reserve(size_t size)
{
    void *p = map(size);
    int saved = errno;
    madvise(p, size, MADV_DONTDUMP);
    madvise(p, size, MADV_NOHUGEPAGE); // a touched entry must cost one page, not 2 MB
    errno = saved;
    return p;
}

// 16, 32, 48, 64, then four classes per power of two: at most a fifth is wasted. *bytes becomes the block size.
static unsigned class_of(size_t *bytes)
{
    size_t n = *bytes ? (*bytes + 15) / 16 : 1;
    if (n <= 4) {
        *bytes = n * 16;
        return (unsigned)n - 1;
    }
    unsigned log = 63 - (unsigned)__builtin_clzll(n - 1); // 2^log <= n - 1 < 2^(log+1), log >= 2
    unsigned quarter = (unsigned)((n - 1) >> (log - 2)) & 3;
    *bytes = ((size_t)(quarter + 5) << (log - 2)) * 16;
    return 4 + (log - 2) * 4 + quarter;
}

static void *carve(size_t bytes)
{
    cspr_lock_acquire(&chunk.lock);
    if ((size_t)(chunk.end - chunk.at) < bytes) {
        chunk.at = map(CHUNK_BYTES); // what was left is less than LARGEST and is let go
        chunk.end = chunk.at + CHUNK_BYTES;
    }
    char *p = chunk.at;
    chunk.at += bytes;
    cspr_lock_release(&chunk.lock);
    return p;
}

static free_block *take_global(unsigned c)
{
    // NOLINTNEXTLINE(clang-analyzer-security.ArrayBound): class_of counts from one block of 16 bytes on
    cspr_lock_acquire(&classes[c].lock);
    free_block *b = classes[c].free;
    if (b)
        classes[c].free = b->next;
    cspr_lock_release(&classes[c].lock);
    return b;
}

static bool may_spare(unsigned c)
{
    return c < SPARE_CLASSES && CSPR_LIKELY(!spare.has_ended);
}

// Half of what the thread may have: the next ones need no lock. NULL: there are none.
CSPR_NOINLINE static free_block *take_several(unsigned c)
{
    cspr_lock_acquire(&classes[c].lock);
    free_block *first = classes[c].free;
    free_block **rest = &classes[c].free;
    uint32_t n = 0;
    while (*rest && n < SPARES / 2) {
        rest = &(*rest)->next;
        n++;
    }
    classes[c].free = *rest;
    *rest = NULL;
    cspr_lock_release(&classes[c].lock);
    spare.of[c].n = n;
    return n ? first : NULL;
}

void *cspr_alloc(size_t size)
{
    if (size > LARGEST)
        return map(size);
    unsigned c = class_of(&size);
    free_block *b;
    if (may_spare(c)) {
        b = spare.of[c].first ? spare.of[c].first : take_several(c);
        if (b) {
            spare.of[c].first = b->next;
            spare.of[c].n--;
        }
    } else {
        b = take_global(c);
    }
    if (!b)
        return carve(size);
    b->next = NULL; // I1: the rest is zero
    return b;
}

// n of the thread's spares go to all.
CSPR_NOINLINE static void give_several(unsigned c, uint32_t n)
{
    free_block *first = spare.of[c].first, *last = first;
    if (!n)
        return;
    spare.of[c].n -= n;
    while (--n)
        last = last->next;
    spare.of[c].first = last->next;
    cspr_lock_acquire(&classes[c].lock);
    last->next = classes[c].free;
    classes[c].free = first;
    cspr_lock_release(&classes[c].lock);
}

void cspr_free(void *p, size_t size)
{
    if (!p)
        return;
    if (size > LARGEST) {
        int saved = errno;
        munmap(p, size);
        errno = saved;
        return;
    }
    unsigned c = class_of(&size);
    memset(p, 0, size); // I1
    free_block *b = p;
    if (may_spare(c)) {
        if (spare.of[c].n == SPARES)
            give_several(c, SPARES / 2);
        b->next = spare.of[c].first;
        spare.of[c].first = b;
        spare.of[c].n++;
        return;
    }
    cspr_lock_acquire(&classes[c].lock);
    b->next = classes[c].free;
    classes[c].free = b;
    cspr_lock_release(&classes[c].lock);
}

void cspr_alloc_thread_ends(void)
{
    for (unsigned c = 0; c < SPARE_CLASSES; c++)
        give_several(c, spare.of[c].n);
    spare.has_ended = true;
}

void cspr_alloc_fork_lock(bool take)
{
    for (unsigned c = 0; c < N_CLASSES; c++)
        cspr_lock_for_fork(&classes[c].lock, take);
    cspr_lock_for_fork(&chunk.lock, take);
}

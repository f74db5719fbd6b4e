// fd.c - file descriptors as a way to pass order: which sync object a descriptor's reads and writes go through.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why a table by number and not only fstat: the ends of a socketpair, and all eventfds, look alike there.
// Invariants  I1 table and objects change under fds_lock only; nothing is called under it
//             I2 objects are never unmapped: who reads a number that is being closed may meet the object of
//                another descriptor, which gives order that is not real, and no more than that
// A number that was closed or reused where we do not see it (inside libc) keeps its old object: the same applies.
#include "sync/fd.h"

#include "rtl.h"
#include "support/alloc.h"
#include "support/lock.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// Which object: an index of objects[]. Those from FIRST_OWN on are counted and given out, the others are for good.
enum {
    UNKNOWN, // not asked yet
    EVERYTHING,
    SOCKETS,
    TERMINALS,
    ANONYMOUS, // signalfd, inotify and the like
    FIRST_FILE = 16,
    FILES = 1024, // files that fall together share an object
    FIRST_OWN = FIRST_FILE + FILES,
    OBJECTS = 1 << 16, // when they run out: EVERYTHING
    NUMBERS = 1 << 20, // numbers beyond: EVERYTHING
};

// A sync object is known by its address, so these are its name: 8 bytes, one word of shadow.
typedef struct object {
    uint32_t refs; // descriptors
    uint32_t next_free;
} object;

// A number's own clock, at its address: close -> next open.
typedef struct number {
    uint32_t object; // atomic: relaxed reads, see I2
    uint32_t closed; // atomic: relaxed, a hint: see I3
} number;

// Whose it is, beside the word that stands for its uses.
typedef struct life {
    uint64_t word;
    cspr_who creator;
    cspr_stack creation;
} life;

// What fstat says of the ends of a pipe or socketpair: by this a descriptor of theirs that came by another way is
// known.
typedef struct ends {
    uint64_t of_a, of_b; // 0: none
} ends;

static object *objects;
static ends *object_ends;
static number *numbers;
static life *lives;
static uint32_t first_free, used = FIRST_OWN;
static cspr_lock fds_lock;
static pid_t owner; // whose descriptors these are: a child of vfork has its own, but our memory

void cspr_fd_init(void)
{
    objects = cspr_reserve(OBJECTS * sizeof *objects);
    object_ends = cspr_reserve(OBJECTS * sizeof *object_ends);
    numbers = cspr_reserve(NUMBERS * sizeof *numbers);
    lives = cspr_reserve(NUMBERS * sizeof *lives);
    owner = getpid();
}

static bool is_in_table(int fd)
{
    return fd >= 0 && fd < NUMBERS;
}

static void lock(void)
{
    cspr_enter();
    cspr_lock_acquire(&fds_lock);
}

static void unlock(void)
{
    cspr_lock_release(&fds_lock);
    cspr_leave();
}

// --- objects
// ---------------------------------------------------------------------------------------------------------------

static uint32_t new_object_locked(void)
{
    uint32_t o = first_free;
    if (o)
        first_free = objects[o].next_free;
    else if (used < OBJECTS)
        o = used++;
    return o ? o : EVERYTHING;
}

// Puts a number in the table; returns the object nobody refers to any more, for drop_object, or 0.
static uint32_t set_number_locked(int fd, uint32_t o)
{
    uint32_t old = numbers[fd].object;
    if (o >= FIRST_OWN)
        objects[o].refs++;
    __atomic_store_n(&numbers[fd].object, o, __ATOMIC_RELAXED); // relaxed: see I2
    return old >= FIRST_OWN && --objects[old].refs == 0 ? old : 0;
}

// What it ordered is over; the next user starts afresh.
static void drop_object(uint32_t o)
{
    if (!o)
        return;
    cspr_sync_reset(&objects[o]);
    lock();
    objects[o].next_free = first_free;
    first_free = o;
    unlock();
}

static bool may_change(int fd)
{
    return is_in_table(fd) && getpid() == owner;
}

static void set_number(int fd, uint32_t o)
{
    if (!may_change(fd))
        return;
    lock();
    uint32_t over = set_number_locked(fd, o);
    unlock();
    drop_object(over);
}

static bool is_terminal(dev_t device)
{
    unsigned kind = major(device);
    return kind == 4 || kind == 5 || (kind >= 136 && kind <= 143); // consoles; tty and ptmx; ends of pseudo-terminals
}

// Identifies what a descriptor leads to; 0: it leads nowhere.
static uint64_t ask_system(int fd, mode_t *mode, dev_t *device)
{
    struct stat st;
    int saved = errno, failed = fstat(fd, &st);
    errno = saved;
    if (failed)
        return 0;
    *mode = st.st_mode & S_IFMT;
    *device = st.st_rdev;
    return st.st_ino ^ (uint64_t)st.st_dev << 40;
}

static uint64_t key_of(int fd)
{
    mode_t mode;
    dev_t device;
    return fd >= 0 ? ask_system(fd, &mode, &device) : 0;
}

static uint32_t find_ends_locked(uint64_t key)
{
    for (uint32_t o = FIRST_OWN; o < used; o++)
        if (objects[o].refs && (object_ends[o].of_a == key || object_ends[o].of_b == key))
            return o;
    return 0;
}

static uint32_t class_of(mode_t mode, dev_t device, uint64_t key)
{
    if (mode == S_IFSOCK)
        return SOCKETS;
    if (mode == S_IFCHR && is_terminal(device))
        return TERMINALS;
    return mode ? FIRST_FILE + (uint32_t)(key % FILES) : ANONYMOUS;
}

static uint32_t find_out(int fd)
{
    mode_t mode = 0;
    dev_t device = 0;
    uint64_t key = ask_system(fd, &mode, &device);
    if (!key)
        return UNKNOWN;
    bool may = may_change(fd);
    uint32_t o = 0;
    lock();
    if (mode == S_IFIFO || mode == S_IFSOCK)
        o = find_ends_locked(key);
    if (!o)
        o = class_of(mode, device, key);
    if (may && !numbers[fd].object)
        set_number_locked(fd, o);
    unlock();
    return o;
}

static const object *object_of(int fd)
{
    if (cspr_flags.io_sync <= 0 || fd < 0)
        return NULL;
    if (cspr_flags.io_sync > 1 || !is_in_table(fd))
        return &objects[EVERYTHING];
    uint32_t o = __atomic_load_n(&numbers[fd].object, __ATOMIC_RELAXED); // relaxed: see I2
    if (!o)
        o = find_out(fd);
    return o ? &objects[o] : NULL;
}

// --- order
// -----------------------------------------------------------------------------------------------------------------

void cspr_fd_acquire(int fd)
{
    const object *o = object_of(fd);
    if (o)
        cspr_acquire(o, NULL);
}

void cspr_fd_release(int fd)
{
    const object *o = object_of(fd);
    if (o)
        cspr_release_merge(o, NULL);
}

static void acquire_number(int fd)
{
    if (cspr_flags.io_sync > 0 && is_in_table(fd))
        cspr_acquire(&numbers[fd], NULL);
}

// --- uses
// ------------------------------------------------------------------------------------------------------------------

static void touch(int fd, bool is_write, cspr_stack stack)
{
    int saved = errno;
    cspr_access((uintptr_t)&lives[fd].word, sizeof lives[fd].word, is_write, stack);
    errno = saved;
}

static bool is_closed(int fd)
{
    return __atomic_load_n(&numbers[fd].closed, __ATOMIC_RELAXED); // relaxed: see I3
}

static void set_closed(int fd, bool closed)
{
    __atomic_store_n(&numbers[fd].closed, closed, __ATOMIC_RELAXED); // relaxed: see I3
}

void cspr_fd_used(int fd, cspr_stack stack)
{
    if (is_in_table(fd) && stack && !is_closed(fd))
        touch(fd, false, stack);
}

void cspr_fd_was_bad(int fd, cspr_stack stack)
{
    int saved = errno;
    if (is_in_table(fd) && stack && is_closed(fd) && !key_of(fd))
        touch(fd, false, stack);
    errno = saved;
}

int cspr_fd_at(uintptr_t addr, cspr_who *creator, cspr_stack *creation)
{
    uintptr_t at = addr - (uintptr_t)lives;
    if (at >= NUMBERS * sizeof *lives)
        return -1;
    const life *l = &lives[at / sizeof *lives];
    *creator = l->creator;
    *creation = l->creation;
    return (int)(at / sizeof *lives);
}

// What the number was before is forgotten; its making is a write, unless others may be using it.
static void begin_life(int fd, bool is_replaced, cspr_stack stack)
{
    cspr_task *t = cspr_task_current();
    if (!is_in_table(fd) || !t)
        return;
    uintptr_t word = (uintptr_t)&lives[fd].word;
    int saved = errno;
    lives[fd].creator = cspr_task_who(t);
    lives[fd].creation = stack;
    if (is_replaced) {
        cspr_shadow_forget(word, word + sizeof lives[fd].word);
        touch(fd, false, stack);
    } else {
        cspr_access_alloc(word, sizeof lives[fd].word, stack);
    }
    set_closed(fd, false);
    errno = saved;
}

// --- life
// ------------------------------------------------------------------------------------------------------------------

void cspr_fd_opened(int fd, cspr_stack stack)
{
    acquire_number(fd);
    if (may_change(fd))
        begin_life(fd, false, stack);
    set_number(fd, UNKNOWN);
}

void cspr_fd_opened_pair(int a, int b, cspr_stack stack)
{
    acquire_number(a);
    acquire_number(b);
    if (!may_change(a))
        return;
    ends keys = {b >= 0 ? key_of(a) : 0, key_of(b)};
    begin_life(a, false, stack);
    begin_life(b, false, stack);
    lock();
    uint32_t o = b < NUMBERS ? new_object_locked() : EVERYTHING;
    object_ends[o] = keys;
    uint32_t over_a = set_number_locked(a, o), over_b = is_in_table(b) ? set_number_locked(b, o) : 0;
    unlock();
    drop_object(over_a);
    drop_object(over_b);
}

void cspr_fd_opened_copy(int from, int fd, bool is_replaced, cspr_stack stack)
{
    if (from == fd)
        return;
    cspr_fd_used(from, stack);
    acquire_number(fd);
    if (!may_change(fd))
        return;
    begin_life(fd, is_replaced, stack);
    lock();
    uint32_t over = set_number_locked(fd, is_in_table(from) ? numbers[from].object : EVERYTHING);
    unlock();
    drop_object(over);
}

static void give_back(int fd)
{
    const object *o = object_of(fd);
    if (!o)
        return; // not open, or not our business
    cspr_release_merge(o, NULL);
    if (is_in_table(fd))
        cspr_release_merge(&numbers[fd], NULL);
}

void cspr_fd_replacing(int fd, cspr_stack stack)
{
    cspr_fd_used(fd, stack);
    give_back(fd);
}

// The check comes before the release: who waits for the end of file may use the number's history.
void cspr_fd_closing(int fd, cspr_stack stack)
{
    if (may_change(fd)) {
        if (stack && !is_closed(fd) && key_of(fd))
            touch(fd, true, stack);
        set_closed(fd, true);
    }
    give_back(fd);
    set_number(fd, UNKNOWN);
}

bool cspr_fd_has_other_end(int fd)
{
    lock();
    uint32_t o = is_in_table(fd) ? numbers[fd].object : 0;
    bool has = o >= FIRST_OWN && objects[o].refs > 1;
    unlock();
    return has;
}

// --- fork
// ------------------------------------------------------------------------------------------------------------------

void cspr_fd_before_fork(void)
{
    lock();
}

void cspr_fd_after_fork(bool in_child)
{
    if (in_child)
        owner = getpid();
    unlock();
}

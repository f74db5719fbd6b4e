// control_random.c - random numbers under a controlled schedule come from its seed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// rand, random and their like are left alone: they are the same in each run, or seeded from a clock, which is the virtual one.
#include "control/control_libc.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void fill(void *out, size_t n)
{
    char *p = out;
    while (n) {
        uint64_t bits = cspr_control_random();
        size_t part = n < sizeof bits ? n : sizeof bits;
        memcpy(p, &bits, part);
        p += part;
        n -= part;
    }
}

CSPR_LIBC(getrandom);
CSPR_LIBC(getentropy);
CSPR_LIBC(arc4random);
CSPR_LIBC(arc4random_uniform);
CSPR_LIBC(arc4random_buf);

static bool is_ours(const void *out, size_t n)
{
    return cspr_is_program() && out && n;
}

// Flags that libc refuses go to libc.
static ssize_t controlled_getrandom(void *out, size_t n, unsigned flags)
{
    enum { MOST = 33554431 };
    if (!is_ours(out, n) || flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM))
        return libc_getrandom(out, n, flags);
    n = n < MOST ? n : MOST;
    fill(out, n);
    return (ssize_t)n;
}

static int controlled_getentropy(void *out, size_t n)
{
    if (!is_ours(out, n) || n > 256)
        return libc_getentropy(out, n);
    fill(out, n);
    return 0;
}

static uint32_t controlled_arc4random(void)
{
    return cspr_is_program() ? (uint32_t)cspr_control_random() : libc_arc4random();
}

static uint32_t controlled_arc4random_uniform(uint32_t n)
{
    if (!cspr_is_program())
        return libc_arc4random_uniform(n);
    return (uint32_t)((cspr_control_random() >> 32) * n >> 32);
}

static void controlled_arc4random_buf(void *out, size_t n)
{
    if (cspr_is_program())
        fill(out, n);
    else
        libc_arc4random_buf(out, n);
}

CSPR_LIBC(_ZNSt13random_device9_M_getvalEv);

static unsigned controlled__ZNSt13random_device9_M_getvalEv(void *device)
{
    if (cspr_is_program() || !libc__ZNSt13random_device9_M_getvalEv)
        return (unsigned)cspr_control_random();
    return libc__ZNSt13random_device9_M_getvalEv(device);
}

// --- /dev/urandom ------------------------------------------------------------------------------------------------------------------

// Known by what it is, so that descriptors may be copied and passed on.
bool cspr_random_read(int fd, void *buffer, size_t n)
{
    enum { MEMORY = 1, RANDOM = 8, URANDOM = 9 }; // the kernel's numbers of devices
    struct stat st;
    int saved = errno;
    bool is = fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) == MEMORY &&
              (minor(st.st_rdev) == RANDOM || minor(st.st_rdev) == URANDOM);
    errno = saved;
    if (is)
        fill(buffer, n);
    return is;
}

static ssize_t read_cookie(void *unused, char *out, size_t n)
{
    (void)unused;
    fill(out, n);
    return (ssize_t)n;
}

// Streams read past our read.
static FILE *open_random(const char *path, const char *mode)
{
    bool is = path && mode && *mode == 'r' && (!strcmp(path, "/dev/urandom") || !strcmp(path, "/dev/random"));
    if (!is || !cspr_is_program())
        return NULL;
    return fopencookie(NULL, "r", (cookie_io_functions_t){.read = read_cookie});
}

CSPR_LIBC(fopen);
CSPR_LIBC(fopen64);

static FILE *controlled_fopen(const char *restrict path, const char *restrict mode)
{
    FILE *f = open_random(path, mode);
    return f ? f : libc_fopen(path, mode);
}

static FILE *controlled_fopen64(const char *restrict path, const char *restrict mode)
{
    FILE *f = open_random(path, mode);
    return f ? f : libc_fopen64(path, mode);
}

void cspr_control_random_take_over(void)
{
    CSPR_TAKE_OVER(fopen);
    CSPR_TAKE_OVER(fopen64);
    CSPR_TAKE_OVER(_ZNSt13random_device9_M_getvalEv);
    CSPR_TAKE_OVER(getrandom);
    CSPR_TAKE_OVER(getentropy);
    CSPR_TAKE_OVER(arc4random);
    CSPR_TAKE_OVER(arc4random_uniform);
    CSPR_TAKE_OVER(arc4random_buf);
}

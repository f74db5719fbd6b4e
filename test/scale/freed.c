// freed.c - the detector's memory about freed blocks goes back to the system.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --silent --args="128" %s
// RUN: %if full %{ %check --silent --args="1024" %s %}
//
// usage: freed megabytes: so many, in large blocks and then in a mapping, are written by every word and given back.
#define _DEFAULT_SOURCE
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 4 << 20, ALLOWED = 24 << 20 };

static long resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (!f || fscanf(f, "%*s %ld", &pages) != 1)
        abort();
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

__attribute__((noinline)) static void fill(volatile long *p, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof *p; i++)
        p[i] = (long)i;
}

static int held_back(const char *what, long before, long during, long after, long bytes)
{
    printf("%s: %ld MB, %ld, %ld\n", what, before >> 20, during >> 20, after >> 20);
    if (during - before < bytes)
        return fprintf(stderr, "%s: not even the memory itself was there\n", what);
    if (after - before > ALLOWED + bytes / 32) // what is known of a block of 4 MB takes some hundred bytes
        return fprintf(stderr, "%s: %ld MB more than before\n", what, (after - before) >> 20);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 64;
    size_t bytes = (size_t)atol(argv[1]) << 20, n = bytes / BLOCK;
    void **blocks = malloc(n * sizeof *blocks);
    long before = resident();
    for (size_t i = 0; i < n; i++)
        fill(blocks[i] = malloc(BLOCK), BLOCK);
    long during = resident();
    for (size_t i = 0; i < n; i++)
        free(blocks[i]);
    int bad = held_back("blocks", before, during, resident(), (long)bytes);
    free(blocks);
    before = resident();
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fill(p, bytes);
    during = resident();
    munmap(p, bytes);
    bad |= held_back("mapping", before, during, resident(), (long)bytes);
    return bad ? 1 : 0;
}

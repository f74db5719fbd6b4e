// syncmap.c - four coroutines look up one of 1000 keys, one time in 64 they store it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

enum { WHO = 4, KEYS = 1000 };

CSP_SYNCMAP_TYPE(squares, long, long)

static squares map;

struct share {
    csp_wg *wg;
    long n;
    unsigned long seed;
};

static void use(void *arg)
{
    struct share *s = arg;
    unsigned long x = s->seed;
    for (long i = 0; i < s->n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        long key = (long)((x >> 33) % KEYS), value;
        if (x >> 58 == 0)
            squares_store(map, key, key * key);
        else if (squares_load(map, key, &value) && value != key * key)
            abort();
    }
    csp_wg_done(s->wg);
}

static void run(long n)
{
    csp_wg wg = {0};
    struct share shares[WHO];
    csp_wg_add(&wg, WHO);
    for (int i = 0; i < WHO; i++) {
        shares[i] = (struct share){&wg, n / WHO, (unsigned long)i};
        csp_go(use, &shares[i]);
    }
    csp_wg_wait(&wg);
}

int main(int argc, char **argv)
{
    map = squares_new();
    for (long i = 0; i < KEYS; i++)
        squares_store(map, i, i * i);
    return bench(argc, argv, 10000000, run);
}

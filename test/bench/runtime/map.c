// map.c - a plain map of 1000 integer keys: lookups, one time in 64 a change.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

enum { KEYS = 1000 };

CSP_MAP_TYPE(squares, long, long)

static squares map;

static void run(long n)
{
    unsigned long x = 1;
    for (long i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        long key = (long)((x >> 33) % KEYS), value;
        if (x >> 58 == 0)
            squares_set(map, key, key * key);
        else if (squares_get(map, key, &value) && value != key * key)
            abort();
    }
}

int main(int argc, char **argv)
{
    map = squares_new();
    for (long i = 0; i < KEYS; i++)
        squares_set(map, i, i * i);
    return bench(argc, argv, 10000000, run);
}

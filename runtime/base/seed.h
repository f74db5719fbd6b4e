// seed.h - random numbers that are a function of a seed: the same in the program, in its detector and in the csp command.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014): a counter that is mixed. Any
// number is a good seed, and numbers of the sequence can be had without those before them. That is why it also gives the seeds
// of a series of runs: run i's is a hash of the series' seed and i, so that a run is repeated without the ones before it, and
// runs are shared out between machines by their numbers.
#ifndef CSP_RUNTIME_BASE_SEED_H
#define CSP_RUNTIME_BASE_SEED_H

#include <stdint.h>

#define CSP_SEED_STEP 0x9e3779b97f4a7c15u // 2^64 divided by the golden ratio, odd

// A permutation of the 64-bit numbers in which every input bit changes about half of the output's.
static inline uint64_t csp_seed_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

// Number i, from 0, of the sequence that begins at seed.
static inline uint64_t csp_seed_at(uint64_t seed, uint64_t i)
{
    return csp_seed_mix(seed + (i + 1) * CSP_SEED_STEP);
}

// The seed of iteration i, counted from 0, of an exploration with that base seed. Mixed once more than csp_seed_at: otherwise
// the numbers drawn by iteration i would be those that iteration i + 1 draws one step later.
static inline uint64_t csp_seed_of_iteration(uint64_t base, uint64_t i)
{
    return csp_seed_mix(csp_seed_at(base, i) ^ 0x6373705f74657374u); // "csp_test"
}

// A sequence of numbers: csp_seed_at(seed, 0), (seed, 1), ...
typedef struct csp_random {
    uint64_t at;
} csp_random;

static inline uint64_t csp_random_next(csp_random *r)
{
    return csp_seed_mix(r->at += CSP_SEED_STEP);
}

// A number below n, n > 0, each exactly as likely as another: the upper half of a 128-bit product; draws whose lower half
// would favour some are drawn again (Lemire: Fast random integer generation in an interval, 2019).
static inline uint64_t csp_random_below(csp_random *r, uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    u128 product = (u128)csp_random_next(r) * n;
    if ((uint64_t)product < n)
        for (uint64_t uneven = -n % n; (uint64_t)product < uneven;)
            product = (u128)csp_random_next(r) * n;
    return (uint64_t)(product >> 64);
}

#endif

// pct_bound.h - how sure a number of PCT runs makes that a bug of some depth would have been found.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Burckhardt, Kothari, Musuvathi, Nagarakatte: A randomized scheduler with probabilistic guarantees of finding bugs, ASPLOS
// 2010: a bug of depth d - one that d constraints on the order of two operations each bring about - in a program of n tasks
// and k operations is met by one run with a probability of at least 1/(n k^(d-1)). Runs are independent, so `runs` of them
// miss it with at most (1 - that)^runs. What is computed is the probability of being met, never its small complement, so
// 10^-12 stays 10^-12. No libm: the detector uses it, too.
#ifndef CSP_RUNTIME_BASE_PCT_BOUND_H
#define CSP_RUNTIME_BASE_PCT_BOUND_H

#include <stdint.h>

// In one run. n, k and d below 1 count as 1.
static inline double csp_pct_chance(uint64_t n, uint64_t k, unsigned d)
{
    double chance = 1 / (double)(n ? n : 1);
    for (unsigned i = 1; i < d && chance > 0; i++)
        chance /= (double)(k ? k : 1);
    return chance;
}

// Of something that happens in each run with that chance: that it does in at least one of so many.
static inline double csp_chance_in_runs(double chance, uint64_t runs)
{
    double met = 0; // in the runs of the bits of `runs` seen so far
    for (; runs; runs >>= 1) {
        if (runs & 1)
            met += chance - met * chance;
        chance *= 2 - chance; // twice as many
    }
    return met;
}

// 1 - (1 - 1/(n k^(d-1)))^runs: at least so likely have the runs met any one bug of depth d.
static inline double csp_pct_bound(uint64_t n, uint64_t k, unsigned d, uint64_t runs)
{
    return csp_chance_in_runs(csp_pct_chance(n, k, d), runs);
}

// How many runs make the bound at least `wanted` (0.95: 95 %), which is below 1; UINT64_MAX: more than can be counted.
static inline uint64_t csp_pct_runs(uint64_t n, uint64_t k, unsigned d, double wanted)
{
    uint64_t enough = 1;
    while (csp_pct_bound(n, k, d, enough) < wanted) {
        if (enough > UINT64_MAX / 2)
            return UINT64_MAX;
        enough *= 2;
    }
    uint64_t few = enough / 2; // too few, but for 0
    while (enough - few > 1) {
        uint64_t middle = few + (enough - few) / 2;
        if (csp_pct_bound(n, k, d, middle) < wanted)
            few = middle;
        else
            enough = middle;
    }
    return enough;
}

#endif

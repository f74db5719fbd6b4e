// hash.h - a seeded hash of bytes for the maps: one 64x64 multiplication per 16 bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The idea is that of wyhash and its relatives: multiply two words, each mixed with something secret, and fold the upper half
// of the 128-bit product into the lower one. Every input bit so reaches every output bit. Both secrets belong to one map and
// are random, so that nobody who chooses keys can make them collide; a fixed constant in place of the second would let them
// choose a word that makes the product zero.
#ifndef CSP_RUNTIME_HASH_H
#define CSP_RUNTIME_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cspi_hash_seed {
    uint64_t a, b;
} cspi_hash_seed;

#define CSPI_HASH_LAST 0xa0761d6478bd642fu // any number with as many ones as zeros

static inline uint64_t cspi_hash_fold(uint64_t x, uint64_t y)
{
    __extension__ unsigned __int128 product = (unsigned __int128)x * y;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t cspi_hash_load8(const unsigned char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static inline uint64_t cspi_hash_load4(const unsigned char *p)
{
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

// n bytes at key. The upper bits are as good as the lower ones.
static inline uint64_t cspi_hash(const cspi_hash_seed *seed, const void *key, size_t n)
{
    const unsigned char *p = (const unsigned char *)key;
    uint64_t state = seed->a, first = 0, second = 0;
    size_t left = n;
    if (n == 8) { // most keys are of this size: no loop, no choice
        first = cspi_hash_load8(p);
        return cspi_hash_fold(cspi_hash_fold(first ^ state, first ^ seed->b) ^ 8, seed->b ^ CSPI_HASH_LAST);
    }
    for (; left > 16; left -= 16, p += 16)
        state = cspi_hash_fold(cspi_hash_load8(p) ^ state, cspi_hash_load8(p + 8) ^ seed->b);
    // The last 1 to 16 bytes as two words that may overlap.
    if (left >= 8) {
        first = cspi_hash_load8(p);
        second = cspi_hash_load8(p + left - 8);
    } else if (left >= 4) {
        first = cspi_hash_load4(p);
        second = cspi_hash_load4(p + left - 4);
    } else if (left) {
        first = (uint64_t)p[0] << 16 | (uint64_t)p[left / 2] << 8 | p[left - 1];
    }
    state = cspi_hash_fold(first ^ state, second ^ seed->b);
    return cspi_hash_fold(state ^ n, seed->b ^ CSPI_HASH_LAST);
}

// A seed of its own for each caller, derived from the kernel's random numbers. Never fails.
cspi_hash_seed cspi_hash_seed_new(void);

#ifdef __cplusplus
}
#endif

#endif

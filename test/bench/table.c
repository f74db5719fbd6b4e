// table.c - a table that all threads look things up in and that seldom changes, under a reader-writer lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

enum { ENTRIES = 1 << 12, LOOKUPS = 400, ROUNDS = 6000, CHANGE_EVERY = 500, THREADS = 2 };

static struct entry {
    uint32_t key, value, hits;
} table[ENTRIES];
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static uint32_t look_up(uint32_t key)
{
    uint32_t lo = 0, hi = ENTRIES;
    while (hi - lo > 1) {
        uint32_t middle = (lo + hi) / 2;
        if (table[middle].key <= key)
            lo = middle;
        else
            hi = middle;
    }
    return table[lo].value;
}

static void *run(void *arg)
{
    uint32_t seed = (uint32_t)(size_t)arg, sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_rwlock_rdlock(&lock);
        for (int i = 0; i < LOOKUPS; i++) {
            seed = seed * 1664525 + 1013904223;
            sum += look_up(seed % (ENTRIES * 7)) & 1;
        }
        pthread_rwlock_unlock(&lock);
        if (round % CHANGE_EVERY == 0) {
            pthread_rwlock_wrlock(&lock);
            table[seed % ENTRIES].value += 2;
            table[seed % ENTRIES].hits++;
            pthread_rwlock_unlock(&lock);
        }
    }
    return (void *)(size_t)sum;
}

int main(void)
{
    for (uint32_t i = 0; i < ENTRIES; i++)
        table[i] = (struct entry){i * 7, i * i, 0};
    pthread_t t[THREADS];
    for (size_t k = 0; k < THREADS; k++)
        pthread_create(&t[k], NULL, run, (void *)k);
    for (size_t k = 0; k < THREADS; k++) {
        void *sum;
        pthread_join(t[k], &sum);
        printf("odd values %zu\n", (size_t)sum);
    }
}

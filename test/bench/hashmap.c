// hashmap.c - open addressing, one map per thread and one behind a lock: probes at random addresses.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 1 << 17, KEYS = 80000, ROUNDS = 60, SHARED_EVERY = 64, THREADS = 2 };

typedef struct slot {
    uint64_t key; // 0: empty
    uint32_t count, last;
} slot;

typedef struct map {
    pthread_mutex_t lock;
    slot *slots;
} map;

static map common;

static slot *find(slot *slots, uint64_t key)
{
    uint64_t i = key * 0x9e3779b97f4a7c15u >> 47;
    while (slots[i].key && slots[i].key != key)
        i = (i + 1) % SLOTS;
    return &slots[i];
}

static void count(map *m, uint64_t key, uint32_t now)
{
    slot *s = find(m->slots, key);
    s->key = key;
    s->count++;
    s->last = now;
}

static void *run(void *arg)
{
    map own = {.slots = calloc(SLOTS, sizeof(slot))};
    uint64_t seed = (uint64_t)(size_t)arg + 1;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < KEYS; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t key = (seed >> 33) % KEYS + 1;
            count(&own, key, round);
            if (i % SHARED_EVERY == 0) {
                pthread_mutex_lock(&common.lock);
                count(&common, key, round);
                pthread_mutex_unlock(&common.lock);
            }
        }
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SLOTS; i++)
        sum += own.slots[i].key * own.slots[i].count + own.slots[i].last;
    free(own.slots);
    return (void *)(uintptr_t)sum;
}

int main(void)
{
    common.slots = calloc(SLOTS, sizeof(slot));
    pthread_mutex_init(&common.lock, NULL);
    pthread_t t[THREADS];
    for (size_t k = 0; k < THREADS; k++)
        pthread_create(&t[k], NULL, run, (void *)k);
    for (size_t k = 0; k < THREADS; k++) {
        void *sum;
        pthread_join(t[k], &sum);
        printf("sum %zu\n", (size_t)sum);
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SLOTS; i++)
        sum += common.slots[i].key * common.slots[i].count;
    printf("common %llu\n", (unsigned long long)sum);
    free(common.slots);
}

// mutex.c - eight coroutines count in one small table behind one mutex.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdint.h>
#include <stdio.h>

enum { COROUTINES = 8, ROUNDS = 400000, SLOTS = 64, GIVE_WAY = 100 };

static csp_mutex lock;
static csp_wg all;
static uint64_t count[SLOTS], total;

static void run(void *arg)
{
    uint32_t seed = (uint32_t)(intptr_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 1664525 + 1013904223;
        csp_mutex_lock(&lock);
        count[seed >> 26]++;
        total += seed >> 26;
        csp_mutex_unlock(&lock);
        if (i % GIVE_WAY == 0)
            csp_yield();
    }
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, COROUTINES);
    for (intptr_t i = 0; i < COROUTINES; i++)
        csp_go(run, (void *)i);
    csp_wg_wait(&all);
    printf("total %llu, of slot 0 %llu\n", (unsigned long long)total, (unsigned long long)count[0]);
}

// fannkuch.c - pancake flips over all permutations of small arrays on the stack and heap; two threads, nothing shared.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 10, THREADS = 2 };

typedef struct result {
    int max_flips;
    long checksum;
} result;

static int count_flips(const int *permutation, int *work)
{
    for (int i = 0; i < N; i++)
        work[i] = permutation[i];
    int flips = 0;
    for (int first = work[0]; first != 0; first = work[0]) {
        for (int lo = 0, hi = first; lo < hi; lo++, hi--) {
            int swap = work[lo];
            work[lo] = work[hi];
            work[hi] = swap;
        }
        flips++;
    }
    return flips;
}

// Heap's algorithm, without recursion.
static void *run(void *arg)
{
    result *out = arg;
    int *permutation = malloc(N * sizeof *permutation), *work = malloc(N * sizeof *work);
    int counter[N] = {0};
    for (int i = 0; i < N; i++)
        permutation[i] = i;
    long index = 0;
    for (int i = 1; i < N;) {
        if (counter[i] >= i) {
            counter[i++] = 0;
            continue;
        }
        int other = i % 2 ? counter[i] : 0, swap = permutation[other];
        permutation[other] = permutation[i];
        permutation[i] = swap;
        counter[i]++;
        i = 1;
        int flips = count_flips(permutation, work);
        out->checksum += index++ % 2 ? -flips : flips;
        if (flips > out->max_flips)
            out->max_flips = flips;
    }
    free(permutation);
    free(work);
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    result *results = calloc(THREADS, 64);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, run, (char *)results + 64 * i);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        result *r = (result *)((char *)results + 64 * i);
        printf("flips %d checksum %ld\n", r->max_flips, r->checksum);
    }
    free(results);
}

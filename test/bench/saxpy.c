// saxpy.c - loops that a compiler vectorises: y += a x, a dot product, a scaled copy; each thread has half of the vectors.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 1 << 15, ROUNDS = 4000, THREADS = 2 };

static int *x, *y, *z;

static void *run(void *arg)
{
    size_t lo = (size_t)arg * (N / THREADS), hi = lo + N / THREADS;
    unsigned sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = lo; i < hi; i++)
            y[i] += round * x[i];
        for (size_t i = lo; i < hi; i++)
            sum += (unsigned)y[i] * (unsigned)x[i];
        for (size_t i = lo; i < hi; i++)
            z[i] = y[i] >> 1;
    }
    return (void *)(size_t)sum;
}

int main(void)
{
    x = malloc(N * sizeof *x);
    y = malloc(N * sizeof *y);
    z = malloc(N * sizeof *z);
    for (int i = 0; i < N; i++) {
        x[i] = i % 7;
        y[i] = i;
    }
    pthread_t t[THREADS];
    for (size_t k = 0; k < THREADS; k++)
        pthread_create(&t[k], NULL, run, (void *)k);
    for (size_t k = 0; k < THREADS; k++) {
        void *sum;
        pthread_join(t[k], &sum);
        printf("sum %zu\n", (size_t)sum);
    }
    printf("%d\n", z[N - 1]);
    free(x);
    free(y);
    free(z);
}

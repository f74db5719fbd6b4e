// spectral.c - spectral norm of an infinite matrix: vectors that all threads read, each writing its part, step by step.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <math.h>
#include <pthread.h>
#include <stdio.h>

enum { N = 1100, STEPS = 40, THREADS = 2 };

static double u[N], v[N], between[N];
static pthread_barrier_t barrier;

static double element(int i, int j)
{
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

static void times(const double *from, double *to, int lo, int hi)
{
    for (int i = lo; i < hi; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++)
            sum += element(i, j) * from[j];
        to[i] = sum;
    }
    pthread_barrier_wait(&barrier);
}

static void times_transposed(const double *from, double *to, int lo, int hi)
{
    for (int i = lo; i < hi; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++)
            sum += element(j, i) * from[j];
        to[i] = sum;
    }
    pthread_barrier_wait(&barrier);
}

static void *work(void *arg)
{
    int part = (int)(size_t)arg, lo = part * N / THREADS, hi = (part + 1) * N / THREADS;
    for (int step = 0; step < STEPS; step++) {
        times(u, between, lo, hi);
        times_transposed(between, v, lo, hi);
        times(v, between, lo, hi);
        times_transposed(between, u, lo, hi);
    }
    return NULL;
}

int main(void)
{
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < N; i++)
        u[i] = 1;
    pthread_t t[THREADS];
    for (size_t k = 0; k < THREADS; k++)
        pthread_create(&t[k], NULL, work, (void *)k);
    for (size_t k = 0; k < THREADS; k++)
        pthread_join(t[k], NULL);
    double uv = 0, vv = 0;
    for (int i = 0; i < N; i++) {
        uv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    printf("norm %.9f\n", sqrt(uv / vv));
    pthread_barrier_destroy(&barrier);
}

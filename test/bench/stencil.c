// stencil.c - heat in a plate: five-point stencil on a grid, rows shared with the neighbouring thread at each barrier.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdio.h>

enum { N = 512, STEPS = 400, THREADS = 2 };

static float grids[2][N][N];
static pthread_barrier_t barrier;

static void step_rows(float (*restrict to)[N], float (*restrict from)[N], int lo, int hi)
{
    for (int i = lo; i < hi; i++)
        for (int j = 1; j < N - 1; j++)
            to[i][j] = 0.25f * (from[i - 1][j] + from[i + 1][j] + from[i][j - 1] + from[i][j + 1]);
}

static void *run(void *arg)
{
    int part = (int)(size_t)arg, lo = part * N / THREADS, hi = (part + 1) * N / THREADS;
    lo += part == 0;
    hi -= part == THREADS - 1;
    for (int step = 0; step < STEPS; step++) {
        step_rows(grids[(step + 1) % 2], grids[step % 2], lo, hi);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(void)
{
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int g = 0; g < 2; g++)
        for (int i = 0; i < N; i++)
            grids[g][i][0] = (float)i;
    pthread_t t[THREADS];
    for (size_t k = 0; k < THREADS; k++)
        pthread_create(&t[k], NULL, run, (void *)k);
    for (size_t k = 0; k < THREADS; k++)
        pthread_join(t[k], NULL);
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            sum += grids[STEPS % 2][i][j];
    printf("heat %.6f\n", sum);
    pthread_barrier_destroy(&barrier);
}

// matmul.c - dense matrix product by two threads: strided and sequential loads, one shared read-only operand.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 560, THREADS = 2 };

static double a[N][N], b[N][N], c[N][N];

static void *multiply_rows(void *arg)
{
    size_t part = (size_t)arg;
    for (size_t i = part * N / THREADS; i < (part + 1) * N / THREADS; i++)
        for (size_t j = 0; j < N; j++) {
            double sum = 0;
            for (size_t k = 0; k < N; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
    return NULL;
}

int main(void)
{
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            a[i][j] = (double)(i + j) / N;
            b[i][j] = (double)(i * 7 + j * 3) / N;
        }
    pthread_t t[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, multiply_rows, (void *)i);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    double trace = 0;
    for (size_t i = 0; i < N; i++)
        trace += c[i][i];
    printf("trace %.6f\n", trace);
}

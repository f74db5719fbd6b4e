// sort.c - quicksort of parts by threads, then a merge: compare and swap in place, recursion.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 1 << 21, FEW = 16, THREADS = 2 };

static void insertion_sort(uint32_t *a, long n)
{
    for (long i = 1; i < n; i++) {
        uint32_t v = a[i];
        long j = i;
        for (; j > 0 && a[j - 1] > v; j--)
            a[j] = a[j - 1];
        a[j] = v;
    }
}

static void quicksort(uint32_t *a, long n)
{
    while (n > FEW) {
        uint32_t pivot = a[n / 2];
        long i = 0, j = n - 1;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i > j)
                break;
            uint32_t swap = a[i];
            a[i++] = a[j];
            a[j--] = swap;
        }
        quicksort(a, j + 1);
        a += i;
        n -= i;
    }
    insertion_sort(a, n);
}

static void *sort_part(void *arg)
{
    quicksort(arg, N / THREADS);
    return NULL;
}

static void merge(const uint32_t *a, const uint32_t *b, uint32_t *out)
{
    long i = 0, j = 0, k = 0;
    while (i < N / 2 && j < N / 2)
        out[k++] = b[j] < a[i] ? b[j++] : a[i++];
    while (i < N / 2)
        out[k++] = a[i++];
    while (j < N / 2)
        out[k++] = b[j++];
}

int main(void)
{
    uint32_t *a = malloc(N * sizeof *a), *sorted = malloc(N * sizeof *sorted), seed = 1;
    for (long i = 0; i < N; i++)
        a[i] = seed = seed * 1664525 + 1013904223;
    pthread_t t[THREADS];
    for (int k = 0; k < THREADS; k++)
        pthread_create(&t[k], NULL, sort_part, a + k * (N / THREADS));
    for (int k = 0; k < THREADS; k++)
        pthread_join(t[k], NULL);
    merge(a, a + N / 2, sorted);
    uint64_t sum = 0;
    for (long i = 0; i < N; i++)
        sum = sum * 31 + sorted[i];
    printf("sum %llu\n", (unsigned long long)sum);
    free(a);
    free(sorted);
}

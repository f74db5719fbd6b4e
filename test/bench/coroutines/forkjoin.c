// forkjoin.c - merge sort that sorts its halves in two coroutines and waits for them, down to small parts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { N = 1 << 20, SMALL = 256 };

static uint32_t numbers[N], other[N];

typedef struct part {
    uint32_t *a, *scratch;
    int n;
    csp_wg *joined;
} part;

static void insertion_sort(uint32_t *a, int n)
{
    for (int i = 1; i < n; i++) {
        uint32_t v = a[i];
        int j = i;
        for (; j > 0 && a[j - 1] > v; j--)
            a[j] = a[j - 1];
        a[j] = v;
    }
}

static void merge(const uint32_t *a, int n, const uint32_t *b, int m, uint32_t *out)
{
    int i = 0, j = 0, k = 0;
    while (i < n && j < m)
        out[k++] = b[j] < a[i] ? b[j++] : a[i++];
    while (i < n)
        out[k++] = a[i++];
    while (j < m)
        out[k++] = b[j++];
}

static void sort(void *arg)
{
    part *p = arg;
    if (p->n <= SMALL) {
        insertion_sort(p->a, p->n);
    } else {
        csp_wg both = {0};
        int half = p->n / 2;
        part lower = {p->a, p->scratch, half, &both}, upper = {p->a + half, p->scratch + half, p->n - half, &both};
        csp_wg_add(&both, 2);
        csp_go(sort, &lower);
        csp_go(sort, &upper);
        csp_wg_wait(&both);
        merge(p->a, half, p->a + half, p->n - half, p->scratch);
        for (int i = 0; i < p->n; i++)
            p->a[i] = p->scratch[i];
    }
    csp_wg_done(p->joined);
}

int main(void)
{
    uint32_t seed = 1, sum = 0;
    for (int i = 0; i < N; i++)
        numbers[i] = seed = seed * 1664525 + 1013904223;
    csp_wg all = {0};
    part whole = {numbers, other, N, &all};
    csp_wg_add(&all, 1);
    csp_go(sort, &whole);
    csp_wg_wait(&all);
    for (int i = 0; i < N; i++)
        sum = sum * 31 + numbers[i];
    printf("sum %u\n", sum);
}

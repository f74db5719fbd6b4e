// bintrees.c - builds, walks and frees binary trees: allocation, pointers, recursion.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 14, TREES = 72, WALKS = 4, THREADS = 2 };

typedef struct node {
    struct node *left, *right;
} node;

static node *build(int depth)
{
    node *n = malloc(sizeof *n);
    n->left = depth > 0 ? build(depth - 1) : NULL;
    n->right = depth > 0 ? build(depth - 1) : NULL;
    return n;
}

static long count(const node *n)
{
    return n ? 1 + count(n->left) + count(n->right) : 0;
}

static void drop(node *n)
{
    if (!n)
        return;
    drop(n->left);
    drop(n->right);
    free(n);
}

static void *run(void *arg)
{
    long sum = (long)(size_t)arg;
    for (int i = 0; i < TREES; i++) {
        node *tree = build(DEPTH - i % 3);
        for (int k = 0; k < WALKS; k++)
            sum += count(tree);
        drop(tree);
    }
    return (void *)(size_t)sum;
}

int main(void)
{
    pthread_t t[THREADS];
    for (size_t k = 0; k < THREADS; k++)
        pthread_create(&t[k], NULL, run, (void *)k);
    for (size_t k = 0; k < THREADS; k++) {
        void *sum;
        pthread_join(t[k], &sum);
        printf("nodes %zu\n", (size_t)sum);
    }
}

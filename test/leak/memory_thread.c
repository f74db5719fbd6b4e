// memory_thread.c - detect_memory_leaks: what another thread than main has allocated, in an arena of its own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --options='detect_memory_leaks=1' %s
// RUN: %check_norace --options='detect_memory_leaks=1' --flags='-fsanitize=cspthread -g -DKEEPS' %s
#include <pthread.h>
#include <stdlib.h>

static void *volatile kept[10];

static void *loses(void *unused)
{
    for (int i = 0; i < 10; i++) {
        kept[i] = malloc(48); // line: lost
#ifndef KEEPS
        kept[i] = NULL;
#endif
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, loses, NULL) || pthread_join(thread, NULL))
        return 1;
    return 0;
}

// A word that was left behind somewhere may still lead to one of the ten.
// CHECK: WARNING: CspThreadSanitizer: memory leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Direct leak of {{[0-9]+}} byte(s) in {{[1-9]|10}} object(s) allocated from:
// CHECK-NEXT: {{^}}    #0 malloc
// CHECK-NEXT: {{^}}    #1 loses {{.*}}memory_thread.c:[[#lost]]:
// CHECK: SUMMARY: CspThreadSanitizer: memory leak {{.*}}memory_thread.c:[[#lost]]:{{[0-9]+}} in loses

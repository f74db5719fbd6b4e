// reuse_library_norace.c - a library is mapped where libc unmapped something of its own, unseen, that another thread had used.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 -fPIC -shared %S/Inputs/large_library.c -o %t.so
// RUN: %check_norace --args=%t.so --libs=-ldl %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "invisible.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIZE = 200 << 20, STEP = 64 << 10 };

static void *user(void *arg)
{
    volatile char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (int i = 0; i < SIZE; i += STEP)
        p[i] = 2;
    syscall(SYS_munmap, p, SIZE);
    invisible_step();
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pthread_create(&thread, NULL, user, NULL);
    pthread_detach(thread);
    invisible_wait(1);
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library)
        return 1;
    ((void (*)(void))dlsym(library, "fill_table"))();
    return 0;
}

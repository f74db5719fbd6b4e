// libc_blocks_norace.c - blocks that libc keeps for itself pass between threads under locks nobody sees.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define _GNU_SOURCE
#include <dlfcn.h>
#include <iconv.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *work(void *arg)
{
    for (int i = 0; i < 5; i++) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
        if (!getaddrinfo("localhost", NULL, &hints, &list))
            freeaddrinfo(list);
        void *lib = dlopen("libanl.so.1", RTLD_NOW);
        if (lib)
            dlclose(lib);
        iconv_t conversion = iconv_open("UTF-16", "UTF-8");
        if (conversion != (iconv_t)-1)
            iconv_close(conversion);
        char *text;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        fprintf(f, "%d", i);
        fclose(f);
        free(text);
        tzset();
    }
    return arg;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

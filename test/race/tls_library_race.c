// tls_library_race.c - a thread-local of such a library, used by another thread through a pointer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 -fPIC -shared %S/Inputs/tls_library.c -o %t.so
// RUN: %check_race --args=%t.so --libs=-ldl %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <dlfcn.h>
#include <pthread.h>

static int *counter;

static void *writer(void *arg)
{
    *counter = 1; // line: write
    invisible_step();
    return arg;
}

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library)
        return 1;
    counter = ((int *(*)(void))dlsym(library, "tls_counter"))();
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    invisible_use(*counter); // line: read
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 main {{.*}}tls_library_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T1:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}tls_library_race.c:[[#write]]:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}tls_library_race.c:[[#read]]:{{[0-9]+}} in main

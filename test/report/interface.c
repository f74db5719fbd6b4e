// interface.c - <sanitizer/common_interface_defs.h> from its stock header: report path, stacks, symbols, death callback.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: rm -f %t.log.*
// RUN: not %t %t.log > %t.out 2> %t.err
// RUN: FileCheck --check-prefix=OUT --input-file=%t.out %s
// RUN: FileCheck --check-prefix=ERR --input-file=%t.err %s
// RUN: cat %t.log.* | FileCheck --check-prefix=LOG %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"
#include <pthread.h>
#include <sanitizer/allocator_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int global_value;
int racy;

static void last_words(void)
{
    static const char text[] = "death callback\n";
    write(1, text, sizeof text - 1);
}

int __tsan_on_finalize(int failed)
{
    printf("failed: %d\n", failed);
    fflush(stdout);
    return failed;
}

static void *writer(void *arg)
{
    (void)arg;
    racy = 1;
    invisible_step();
    return NULL;
}

int main(int argc, char **argv)
{
    char text[1024];
    void *offset;
    pthread_t t;
    if (argc < 2)
        return 3;
    __sanitizer_set_death_callback(last_words);
    __sanitizer_print_stack_trace();
    // ERR: #0 __sanitizer_print_stack_trace
    // ERR-NEXT: #1 main {{.*}}interface.c:
    __sanitizer_symbolize_pc(__builtin_return_address(0), "%p %m", text, sizeof text);
    printf("caller %s\n", text);
    // OUT: caller 0x{{[0-9a-f]+}} /{{.*}}
    __sanitizer_symbolize_pc((char *)(void *)writer + 1, "%f at %s:%l", text, sizeof text);
    printf("pc: %s\n", text);
    // OUT: pc: writer at {{.*}}interface.c:{{[0-9]+}}
    __sanitizer_symbolize_global(&global_value, "%g", text, sizeof text);
    printf("global: %s\n", text);
    // OUT: global: global_value
    int known = __sanitizer_get_module_and_offset_for_pc((char *)(void *)writer, text, sizeof text, &offset);
    printf("module: %d %s\n", known, strrchr(text, '/'));
    // OUT: module: 1 /interface.c.tmp
    char *p = malloc(77);
    printf("size: %zu\n", __sanitizer_get_allocated_size(p));
    // OUT: size: 77
    free(p);
    uint32_t v = __sanitizer_unaligned_load32(text + 1);
    __sanitizer_unaligned_store32(text + 1, v);
    printf("crash state: %d %d\n", __sanitizer_acquire_crash_state(), __sanitizer_acquire_crash_state());
    // OUT: crash state: {{1 0|0 1}}
    fflush(stdout);
    __sanitizer_set_report_path(argv[1]);
    // LOG: WARNING: CspThreadSanitizer: data race
    // LOG: reported 1 warnings
    pthread_create(&t, NULL, writer, NULL);
    invisible_wait(1);
    racy = 2;
    pthread_join(t, NULL);
    return 0;
    // OUT: failed: 1
    // OUT: death callback
}

// library_user.c - two coroutines call into an instrumented shared library, linked or loaded at run time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

#include <dlfcn.h>
#include <stdio.h>

typedef int touch_fn(int, int, int, int, int, int);
touch_fn library_touch;
static touch_fn *touch;
static csp_wg all;

static void work(void *arg)
{
    (void)arg;
    // Six arguments: the first call through a lazy PLT must not lose one of them.
    if (touch(1, 2, 3, 4, 5, 6) != 1 + 4 + 9 + 20 + 35 + 66)
        fprintf(stderr, "a register was lost\n");
    csp_wg_done(&all);
}

int main(int argc, char **argv)
{
#ifdef LINKED
    (void)argc, (void)argv;
    touch = library_touch;
#else
    void *library = dlopen(argv[argc - 1], RTLD_LAZY);
    if (!library)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    touch = (touch_fn *)dlsym(library, "library_touch");
#endif
    csp_wg_add(&all, 2);
    csp_go(work, NULL);
    csp_go(work, NULL);
    csp_wg_wait(&all);
    return 0;
}

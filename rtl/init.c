// init.c - start-up: the detector is ready before the first constructor of the program and its libraries.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Clang's own instrumentation of checked modules adds a call of __tsan_init (rule D5); it and __csp_module_init find
// everything done, unless the program was linked without our .preinit_array (a shared object loaded by another program).
#define _GNU_SOURCE // _dl_find_object
#include "rtl.h"

#include "clock/everyone.h"
#include "control/control.h"
#include "control/schedule_file.h"
#include "control/schedule_server.h"
#include "shadow/depot.h"
#include "shadow/extent.h"
#include "shadow/readset.h"
#include "shadow/shadow.h"
#include "shadow/side.h"
#include "task/task.h"
#include "task/tls.h"

#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <unistd.h>

static char **start_argv, **start_envp;

// The main thread's stack grows down from about here.
static void find_main_stack(uintptr_t *lo, uintptr_t *hi)
{
    struct rlimit limit = {.rlim_cur = 8u << 20};
    getrlimit(RLIMIT_STACK, &limit);
    uintptr_t size = limit.rlim_cur > 64u << 20 ? 64u << 20 : limit.rlim_cur;
    uintptr_t top = (uintptr_t)__builtin_frame_address(0);
    for (char **e = start_envp; e && *e; e++) // the environment's strings stand at the very top
        top = (uintptr_t)*e > top ? (uintptr_t)*e : top;
    *hi = (top + 4095) & ~(uintptr_t)4095;
    *lo = *hi - size;
}

static void make_main_task(void)
{
    cspr_identity who = {.kind = CSPR_KIND_MAIN, .id = 1, .tid = getpid()};
    find_main_stack(&who.stack_lo, &who.stack_hi);
    cspr_self.task = cspr_task_make(&who, NULL, NULL);
    cspr_who_set_thread(cspr_self.task->who, who.tid, who.stack_lo, who.stack_hi);
    cspr_self.task->live_top = &__csp_top;
    cspr_self.is_known = true;
}

void cspr_init(void)
{
    static bool begun;
    if (begun)
        return;
    begun = true;
    cspr_enter();
    cspr_flags_init();
    cspr_control_init();
    cspr_intercept_init();
    cspr_shadow_init(start_argv, start_envp);
    cspr_marks_init();
    cspr_schedule_server_init(); // now that the program is not started anew any more
    cspr_epoch_init();
    cspr_depot_init();
    cspr_tls_init();
    cspr_side_init();
    cspr_readset_init();
    cspr_extent_init();
    cspr_who_init();
    cspr_heap_init();
    cspr_suppress_init();
    make_main_task();
    if (!cspr_flags.known_to_all)
        cspr_everyone_hold(); // for good
    cspi_hooks = &cspr_hooks;
    // libstdc++ counts its references without atomics while libc believes in one thread; with coroutines there are several
    // tasks even then, and the counts would be races.
    __libc_single_threaded = 0;
    cspr_exit_init();
    cspr_schedule_file_init(start_argv);
    cspr_ready = true;
    cspr_leave();
}

static void init_early(int argc, char **argv, char **envp)
{
    (void)argc;
    start_argv = argv;
    start_envp = envp;
    cspr_init();
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(int, char **, char **) = init_early;

CSPR_INTERFACE void __tsan_init(void);
CSPR_INTERFACE void __tsan_init(void)
{
    cspr_init();
}

bool cspr_main_began;

// Takes no lock (glibc 2.35); weak, for older ones.
extern int _dl_find_object(void *pc, struct dl_find_object *out) __attribute__((weak));

// A library that dlopen has just mapped has no past: what was there before it, stacks of ended threads say, was unmapped by libc
// itself. Called by its first constructors, before anything of it runs.
static void forget_module(void *pc)
{
    struct dl_find_object module;
    if (_dl_find_object && !_dl_find_object(pc, &module))
        cspr_shadow_forget((uintptr_t)module.dlfo_map_start, (uintptr_t)module.dlfo_map_end);
}

CSPR_INTERFACE void __csp_module_init(uint32_t abi_version);
CSPR_INTERFACE void __csp_module_init(uint32_t abi_version)
{
    cspr_init();
    if (cspr_main_began)
        forget_module(__builtin_return_address(0));
    if (abi_version != CSPR_ABI_VERSION)
        cspr_die("a module was compiled by a pass of ABI version %u, this detector has %u: compile everything with the "
                 "same cspthread",
                 abi_version, CSPR_ABI_VERSION);
}

// exit.c - the end of the program: leak check, then its exit handlers, then the count of reports and the exit status.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Order
//   1 main returns, or the program calls exit(): the final check runs, while coroutines that can still run do so.
//   2 exit handlers and destructors of the program, as always.
//   3 print_counts, registered before anything of the program's and so called last: it ends the process with the exitcode
//     option's status if there was anything to report.
// main's frame stays intact during 1: coroutines may have pointers into it. So whatever follows main runs on a stack of its own.
#include "control/control.h"
#include "control/control_world.h"
#include "control/explore.h"
#include "control/schedule_file.h"
#include "control/schedule_server.h"
#include "deadlock/misuse.h"
#include "intercept/intercept_thread.h"
#include "interface/annotate.h"
#include "leak/leak.h"
#include "report/report.h"
#include "report/symbolizer.h"
#include "shadow/access.h"
#include "support/counters.h"
#include "support/libc.h"
#include "support/modules.h"
#include "support/print.h"
#include "sync/fd.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int (*program_main)(int, char **, char **);
uintptr_t cspr_main_frame;

// The leak check lets others run, and they may end the program too: who comes second waits, the first one's status counts.
enum { NOT_CHECKED, CHECKING, CHECKED };
static _Atomic unsigned check_state;

// sp: as cspr_leak_check has it.
static void check_once(uintptr_t sp)
{
    unsigned state = NOT_CHECKED;
    if (!cspr_ready)
        return;
    if (atomic_compare_exchange_strong(&check_state, &state, CHECKING)) {
        cspr_schedule_server_serve(); // a program without a concurrent act: each run does the same
        cspr_leak_check(sp);
        cspr_control_end();
        atomic_store(&check_state, CHECKED);
    }
    while (state == CHECKING) {
        if (cspr_control_has_begun())
            cspr_control_give_up_turn();
        else
            pause();
    }
}

// --- last words ------------------------------------------------------------------------------------------------------------------

static void print_count_line(void)
{
    unsigned n = atomic_load_explicit(&cspr_report_count, memory_order_relaxed); // relaxed: all reporters are done
    if (n)
        cspr_note("reported %u warnings", n); // always plural: what reads ThreadSanitizer's output reads this
}

static void print_stats(void)
{
    cspr_stats s;
    cspr_stats_get(&s);
    cspr_note("stats: %lu slow-path entries, %lu accesses by signal handlers not checked", s.slow_entries, s.unchecked);
    cspr_note("stats: %lu epoch ids, %lu calling contexts, %lu stacks, %lu side records", s.epochs, s.nodes, s.stacks,
              s.records);
    for (int c = 0; c < CSPR_N_COUNTERS; c++)
        if (cspr_counted(c))
            cspr_note("stats: %lu %s", cspr_counted(c), cspr_counter_text(c));
    if (s.merged_units)
        cspr_note("stats: %lu units of semaphores share their order with others", s.merged_units);
}

// A program may define it, to have the last say on whether it failed.
CSPR_INTERFACE __attribute__((weak)) int __tsan_on_finalize(int failed);

static void print_counts(void *unused)
{
    (void)unused;
    check_once(0); // exit() was called where we do not see it, as when the last thread ended
    cspr_leak_check_threads();
    if (cspr_flags.stats)
        print_stats();
    if (cspr_flags.print_suppressions)
        cspr_suppress_print();
    print_count_line();
    cspr_schedule_file_end();
    bool failed = atomic_load_explicit(&cspr_report_count, memory_order_relaxed) != // relaxed: as above
                  atomic_load_explicit(&cspr_report_mild, memory_order_relaxed);
    if (__tsan_on_finalize)
        failed = __tsan_on_finalize(failed) != 0;
    if (!failed || !cspr_flags.exitcode)
        return;
    fflush(NULL); // what exit() would do after us
    cspr_last_words();
    _exit(cspr_flags.exitcode);
}

void cspr_before_exit(void)
{
    if (!cspr_ready)
        return;
    print_count_line();
    cspr_explore_last_words();
    cspr_schedule_file_end();
}

// --- fork: the child goes on being checked ---------------------------------------------------------------------------------------

// Locks of the outside, which are taken before the core's.
static void hold_outside(bool take)
{
    cspr_threads_fork_lock(take);
    cspr_barriers_fork_lock(take);
    cspr_shadow_locks_fork_lock(take);
    cspr_benign_fork_lock(take);
    cspr_made_fork_lock(take);
    cspr_keep_fork_lock(take);
}

static void before_fork(void)
{
    cspr_report_lock(); // nobody is in the middle of a conversation with the symbolizer
    cspr_fd_before_fork();
    hold_outside(true);
    cspr_core_before_fork();
}

static void after_fork_in_parent(void)
{
    cspr_world_after_fork(false);
    cspr_core_after_fork(false);
    hold_outside(false);
    cspr_fd_after_fork(false);
    cspr_report_unlock();
}

static void after_fork_in_child(void)
{
    cspr_core_after_fork(true);
    hold_outside(false);
    cspr_fd_after_fork(true);
    cspr_symbolizer_after_fork();
    cspr_world_after_fork(true);
    cspr_control_after_fork();
    cspr_schedule_file_after_fork();
    atomic_store_explicit(&cspr_report_count, 0, memory_order_relaxed); // relaxed: alone; the parent's are the parent's
    atomic_store_explicit(&cspr_report_mild, 0, memory_order_relaxed);  // relaxed: as above
    cspr_report_unlock();
}

void cspr_exit_init(void)
{
    cspr_fd_init();
    cspr_real___cxa_atexit(print_counts, NULL, NULL);
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    if (cspr_controlled)
        cspr_control_take_over();
}

// --- main ------------------------------------------------------------------------------------------------------------------------

enum { LAST_STACK = 8 << 20 };

CSPR_BOTTOM static void end_program(int status)
{
    check_once(0); // main has returned: nothing on its stack is in use
    cspr_real_exit(status);
}

// pthread_exit in main: see intercept_thread.c
static void main_exits(void *unused)
{
    cspr_forget_records(unused);
    cspr_thread_main_exits();
}

CSPR_BOTTOM static int run_main(int argc, char **argv, char **envp)
{
    cspr_enter(); // not a mapping of the program's
    char *stack =
        mmap(NULL, LAST_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    cspr_leave();
    if (stack == MAP_FAILED)
        cspr_die("out of memory: no stack for the end of the program");
    int status;
    __asm__ volatile("mov %%rsp, %0" : "=r"(cspr_main_frame));
    pthread_cleanup_push(main_exits, NULL);
    cspr_main_began = true;
    status = program_main(argc, argv, envp);
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call *%1\n\t"
                     "ud2"
                     :
                     : "r"(stack + LAST_STACK), "r"(end_program), "D"(status)
                     : "memory");
    __builtin_unreachable();
    pthread_cleanup_pop(0); // the other brace: not reached, since a call from here would lie upon main's frame
}

CSPR_INTERFACE int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                                     void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    if (!cspr_real___libc_start_main) // .preinit_array was not run: a program linked in an unusual way
        cspr_intercept_init();
    program_main = main;
    return cspr_real___libc_start_main(run_main, argc, argv, init, fini, rtld_fini, stack_end);
}

// What the caller keeps in registers is saved in this frame, and all above it is in use.
CSPR_INTERCEPTOR void exit(int status)
{
    uintptr_t sp;
    __builtin_unwind_init();
    __asm__ volatile("mov %%rsp, %0" : "=r"(sp));
    check_once(sp);
    cspr_real_exit(status);
    __builtin_unreachable();
}

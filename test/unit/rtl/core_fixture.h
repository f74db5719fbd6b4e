// core_fixture.h - drives the detector's core on one OS thread: several tasks, captured reports, stand-ins for the outside.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Include it in exactly one file of a test program.
#ifndef CSP_TEST_CORE_FIXTURE_H
#define CSP_TEST_CORE_FIXTURE_H

#define CSP_HOOKS 1 // the table and the frame records of hooks.h

#include <gtest/gtest.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

extern "C" {
#include "deadlock/lock_order.h"
#include "rtl.h"
#include "shadow/access.h"
#include "shadow/depot.h"
#include "shadow/extent.h"
#include "shadow/readset.h"
#include "shadow/shadow.h"
#include "shadow/side.h"
#include "sync/sync.h"
#include "task/task.h"

cspr_flags_t cspr_flags = {
#define FLAG(type, name, value, help) .name = value,
#include "flags.inc"
#undef FLAG
};
bool cspr_main_began = true;
bool cspi_controlled;
const csp_runtime_view *cspi_runtime_view;
void cspr_control_stuck(void)
{
    abort();
}
bool cspr_world_has_forked;
unsigned cspr_timerfd_jumps;
bool cspr_timerfd_jump(int64_t)
{
    return false;
}
bool cspr_control_alarm_is_set()
{
    return false;
}
bool cspr_world_wake()
{
    return false;
}
bool cspr_world_leads_outside(int, int64_t)
{
    return false;
}
bool cspr_world_idle(int64_t)
{
    return false;
}
__thread volatile int cspr_signals_pending;
__thread uintptr_t cspr_handler_frame;
void cspr_signals_deliver(void)
{
}
bool cspr_print_stack(void)
{
    return false;
}
bool cspr_print_stack_of(const cspr_task *)
{
    return false;
}
void cspr_before_exit(void)
{
}
void cspr_schedule_server_init(void)
{
}
bool cspr_schedule_server_on(void)
{
    return false;
}
bool cspr_explores(void)
{
    return false;
}
bool cspr_explore_wanted(void)
{
    return false;
}
void cspr_explore(csp_exploration *)
{
}
void cspr_explore_task_ends(cspr_task *)
{
}
void cspr_schedule_file_load(void)
{
}
void cspr_schedule_file_begin(void)
{
}
void cspr_schedule_file_init(char **)
{
}
void cspr_schedule_server_serve(void)
{
}
void cspr_finding_ending(const char *, const char *, const void *)
{
}
int cspr_leak_signal()
{
    return 0;
}
void cspr_leak_watch_began_slow(cspr_stack)
{
}
void cspr_leak_watch_ended_slow(cspr_who)
{
}
size_t cspr_leak_check_now(const csp_leak_query *, void (*)(const csp_leak_found *, void *), void *)
{
    return 0;
}
void cspr_deadlock_all_asleep(void)
{
}
void cspr_profile_read(const char *)
{
}
void cspr_profile_write(const char *)
{
}
void cspr_report_lock_order(const cspr_lock_steps *)
{
}
void cspr_lock_waits(const void *, int, cspr_task *, cspr_stack)
{
}
}

inline std::vector<cspr_race> races;
inline std::vector<std::string> notes;

extern "C" void cspr_widen_previous(cspr_race *, const cspr_found *)
{
}
extern "C" void cspr_report_race(const cspr_race *race)
{
    static std::mutex mutex; // of tests with several threads
    std::lock_guard<std::mutex> guard(mutex);
    races.push_back(*race);
}
extern "C" void cspr_note(const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    notes.push_back(text);
}
extern "C" void cspr_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

class Core : public ::testing::Test
{
  protected:
    static void SetUpTestSuite()
    {
        static bool done;
        if (done)
            return;
        done = true;
        cspr_shadow_init(nullptr, nullptr);
        cspr_marks_init();
        cspr_epoch_init();
        cspr_depot_init();
        cspr_side_init();
        cspr_readset_init();
        cspr_extent_init();
        cspr_who_init();
        cspr_ready = true;
        cspr_self.is_known = true;
    }

    void SetUp() override
    {
        races.clear();
        notes.clear();
        cspr_readset_after = 0;
        cspr_shadow_forget((uintptr_t)memory, (uintptr_t)(memory + sizeof memory));
        cspr_shadow_forget((uintptr_t)objects, (uintptr_t)(objects + 64));
        main_task = new_task(nullptr);
        run(main_task);
    }

    // The task that runs from now on.
    void run(cspr_task *t)
    {
        if (cspr_self.task)
            cspr_task_store();
        cspr_task_load(t);
    }

    cspr_task *new_task(cspr_task *creator)
    {
        cspr_identity who = {};
        who.kind = CSPR_KIND_COROUTINE;
        cspr_stamp *known = creator ? cspr_task_publish(creator, CSPR_BY_CALL, nullptr) : nullptr;
        cspr_task *t = cspr_task_make(&who, creator, known);
        cspr_stamp_unref(known);
        return t;
    }

    // The running task creates one, as csp_go does.
    cspr_task *go()
    {
        return new_task(cspr_self.task);
    }

    void end(cspr_task *t)
    {
        run(t);
        cspr_hooks.task_end();
    }

    static cspr_stack stack(uintptr_t pc)
    {
        return cspr_depot_stack(0, pc);
    }
    void read(const void *p, size_t n, uintptr_t pc = 0x1000)
    {
        cspr_access((uintptr_t)p, n, false, stack(pc));
    }
    void write(const void *p, size_t n, uintptr_t pc = 0x2000)
    {
        cspr_access((uintptr_t)p, n, true, stack(pc));
    }
    bool is_aside(const void *p)
    {
        return cspr_cell_is_aside(cspr_shadow_of((uintptr_t)p)[1]);
    }
    bool has_rest(const void *p)
    {
        return !is_aside(p) && cspr_cell_is_rest(read_cell(p));
    }
    const cspr_record *record_at(const void *p)
    {
        return cspr_record_of(write_cell(p) & ~CSPR_CELL_TAKEN);
    }
    uint64_t read_cell(const void *p)
    {
        return cspr_shadow_of((uintptr_t)p)[0];
    }
    uint64_t write_cell(const void *p)
    {
        return cspr_shadow_of((uintptr_t)p)[1];
    }
    // Members of the read cell's set; 0: no shared cell.
    unsigned readers(const void *p)
    {
        uint64_t cell = read_cell(p);
        return cspr_cell_is_shared(cell) ? cspr_readset_of(cell)->n : 0;
    }
    static uintptr_t pc_of(cspr_stack s, unsigned mask = 0)
    {
        uintptr_t frame = 0;
        cspr_stack_frames(s, mask, &frame, 1, nullptr);
        return frame;
    }

    cspr_task *main_task = nullptr;
    alignas(64) static inline char memory[4096];
    alignas(64) static inline uint64_t objects[64];
};

#endif

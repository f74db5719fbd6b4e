// schedule_text.h - schedule files as text: what they say, read from any bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//     cspthread schedule 1
//     program: /home/me/queue          build-id: 5f3a...          arguments: ["-n","3"]        (a JSON array)
//     options: schedule_points=sync:schedule_delay_ms=10:schedule_depth=3:schedule_length=0
//     strategy: pct                    seed: 42
//     module: 0 /home/me/queue         module: 1 /lib/x86_64-linux-gnu/libc.so.6
//
//     1 0 go 0 0+4f10                  task 1, which had executed 0 operations, executes a go; of no object; in module 0 at 0x4f10
//     2 0 send 3 0+4e21|2 9f3c01aa     the same of object 3, and it was a decision: 2 could go on, whose hash is 9f3c01aa
//     clock|2 9f3c01aa                 a timer fires early, although 2 could go on
//     choose 1|3                       another number: 1 of 0..2 (the case of a select, who is woken)
//     ! data race<TAB>data race q.c:12 in push     a finding was reported here
//
// One `name: value` a line in the head, which an empty line ends; what is not known by name is skipped. A place that is not known is "-".
// The second form has `form: switches` in its head, and tells only what differs from the rule: the running task goes on; one that cannot,
// or only spins, is followed by the next by number; a number is 0. Its lines name the task that executed last, how many operations it
// has executed by then, and
//     2 7 -> 3                         task 3 goes on; or "clock": a timer fires early
//     2 7 = 1                          the number 1
// each once, those of one moment in their order. A killed process leaves NUL bytes behind the last line, which end the text.
#ifndef CSP_RTL_SCHEDULE_TEXT_H
#define CSP_RTL_SCHEDULE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cspr_step_kind {
    CSPR_STEP_EXECUTED,
    CSPR_STEP_CLOCK,
    CSPR_STEP_NUMBER,
    CSPR_STEP_SWITCH,       // form switches: to task `value`
    CSPR_STEP_SWITCH_CLOCK, // ... to the clock
    CSPR_STEP_SET_NUMBER,   // ... the number `value`
} cspr_step_kind;

typedef struct cspr_step {
    cspr_step_kind kind;
    uint32_t task;
    uint64_t points; // that the task had executed
    int op;          // enum csp_op
    uint32_t object;
    int module; // -1: not known
    uint64_t offset;
    uint32_t n; // how many could go on, or the number was below; 1: nothing to decide
    uint32_t hash;
    uint32_t value;
    bool used; // switches
} cspr_step;

// A piece of the text.
typedef struct cspr_span {
    const char *p;
    size_t n;
} cspr_span;

enum { CSPR_SCHEDULE_MODULES = 64 };
typedef struct cspr_schedule {
    bool is_switches;
    uint64_t seed;
    cspr_span program, build_id, arguments, options, strategy;
    cspr_span modules[CSPR_SCHEDULE_MODULES];
    cspr_step *steps;
    size_t n_steps;
    // --- why it was refused
    size_t line; // from 1
    const char *error;
} cspr_schedule;

size_t cspr_schedule_count_lines(const char *text, size_t len); // as many steps it has at most
// steps: room for as many. False: error and line say why.
bool cspr_schedule_parse(const char *text, size_t len, cspr_step *steps, cspr_schedule *out);

#endif

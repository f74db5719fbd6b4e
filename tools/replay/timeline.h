// timeline.h - an interleaving as text: a column per task, a row per step, an arrow where the turn goes to another task.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//    T1 main                    │ T2 worker
//   ────────────────────────────┼────────────────────────────
//    q.c:30 csp_go(worker, q);  │
//    ╰─ switched ───────────────┼─▶
//                               │ q.c:12 if (q->n == 0)
//    ◀──────────────────────────┼─ waits ─╯
//    q.c:33 q->n++;  ◀ write    │
// Where columns would be too narrow, tasks are lanes beside one column of text.
#ifndef CSP_TOOLS_TIMELINE_H
#define CSP_TOOLS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cspt_turn {
    CSPT_TURN_STAYS,    // the same task goes on, or it is the first
    CSPT_TURN_SWITCHED, // the task before could have gone on
    CSPT_TURN_WAITS,    // it waits
    CSPT_TURN_ENDS,     // it has ended
} cspt_turn;

typedef struct cspt_step {
    size_t task;       // which column
    cspt_turn turn;    // how the turn came here
    const char *place; // "q.c:12"; NULL: not known
    const char *text;  // the source line, or what is done
    const char *note;  // what it is about ("write of size 4, races"); NULL: nothing
    unsigned times;    // in a row; 0 is 1
} cspt_step;

typedef struct cspt_timeline {
    const char *const *tasks; // titles of the columns
    size_t n_tasks;
    const cspt_step *steps;
    size_t n_steps;
    unsigned width; // of the terminal
    bool ascii;     // no other characters than ASCII's
    bool color;
} cspt_timeline;

// Malloc'ed text, a newline after each row.
char *cspt_timeline_draw(const cspt_timeline *t);

#endif

// kinds.c - what the kinds of findings mean, for formats that describe their rules.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/kinds.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "common/argv.h"
#include "common/text.h"

static const cspt_kind table[] = {
    {"data race", "Two coroutines or threads use the same memory, one of them writes, and nothing orders the two.",
     "Order the two accesses: by a channel, a mutex, a wait group, or make both atomic."},
    {"data race on vptr", "An object's virtual table pointer changes while another coroutine or thread uses it.",
     "End what uses the object before its constructor or destructor runs."},
    {"heap-use-after-free",
     "Memory is used by one coroutine or thread and freed by another, and nothing orders the two.",
     "Free memory only after its last user is known to be done: by a wait group, or a channel that says so."},
    {"leak", "A coroutine is parked on something that nobody will do any more.",
     "Make the peer send, receive, close or unlock on every path, or give the operation a context or a timeout."},
    {"memory leak", "Memory that was allocated and not freed cannot be reached any more.",
     "Free it on every path, also on those that end a coroutine early."},
    {"thread leak", "A thread ended and was neither joined nor detached.", "Join it, or create it detached."},
    {"deadlock", "Coroutines or threads wait for each other in a circle.",
     "Take locks in one order everywhere, and hold none over an operation that another needs it for."},
    {"lock inversion", "Two locks are taken in both orders: under another schedule that is a deadlock.",
     "Take locks in one order everywhere."},
    {"panic", "An operation that is always wrong was carried out, such as a send on a closed channel.",
     "Let one side alone close a channel, when nobody will send any more."},
    {"fatal error",
     "The runtime ended the program: all coroutines were asleep, an unlocked mutex was unlocked, or the like.",
     "Read the stack in the report; under this schedule the operation has nothing to wait for."},
    {"crash", "The program was killed by a signal under some schedules.",
     "Replay the seed under the debugger: csp replay --gdb."},
    {"exit status", "The program failed by itself, as tests do, under some schedules.",
     "Replay the seed and read the program's own output."},
    {"wrong output", "The test did not write what it should, or wrote what it should not, under some schedules.",
     "Replay the seed and read the program's own output."},
    {"nondeterminism", "Two runs of one seed did not do the same, so what it shows may not be shown again.",
     "Find what the program reads from outside, or does by address: the report names the first step that differed."},
    {"timeout", "The program did not end in time under some schedules.",
     "Replay the seed: does it loop, or wait for something from outside?"},
};

const cspt_kind *cspt_kind_find(const char *kind)
{
    static cspt_kind unknown = {NULL, NULL, "The report says more."};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].kind, kind) == 0)
            return &table[i];
    unknown.kind = unknown.summary = kind;
    return &unknown;
}

char *cspt_kind_id(const char *kind)
{
    cspt_text id = {0};
    cspt_text_append(&id, "", 0);
    for (const char *p = kind; *p; p++) {
        char c = (char)(isalnum((unsigned char)*p) ? tolower((unsigned char)*p) : '-');
        if (c != '-' || (id.size && id.bytes[id.size - 1] != '-'))
            cspt_text_append(&id, &c, 1);
    }
    return id.bytes;
}

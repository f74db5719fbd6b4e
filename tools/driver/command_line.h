// command_line.h - what a clang command line asks for, as far as a driver in front of clang must know it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_COMMAND_LINE_H
#define CSP_TOOLS_COMMAND_LINE_H

#include "common/argv.h"

// Where clang stops; clang takes the earliest that any option asks for.
enum cspt_phase { CSPT_PHASE_PREPROCESS, CSPT_PHASE_COMPILE, CSPT_PHASE_LINK };

// Kinds of input, as a set. A header is compiled, and links nothing.
enum cspt_input {
    CSPT_INPUT_SOURCE = 1,
    CSPT_INPUT_HEADER = 2,
    CSPT_INPUT_IR = 4,
    CSPT_INPUT_ASM = 8,
    CSPT_INPUT_LINKER = 16, // objects, archives, -l, -Wl,
};

typedef struct cspt_command_line {
    cspt_argv args; // the user's, response files expanded, every `cspthread` taken out
    enum cspt_phase phase;
    unsigned inputs;
    bool query;                 // --version, -print-...: clang answers and does nothing else
    bool verbose;               // -v or -###
    bool sanitize;              // -fsanitize=cspthread is in effect
    const char *conflict;       // another sanitizer in effect that cannot go with it, or NULL
    const char *foreign_target; // a target we have no libraries for, or NULL
    const char *static_option;  // -static or -static-pie, as written, or NULL
    bool shared, relocatable, no_stdlib, no_sanitizer_runtime;
    bool sets_interleaving; // the user set -mllvm -enable-interleaved-mem-accesses himself: LLVM takes it once only
} cspt_command_line;

// args: without argv[0].
void cspt_command_line_parse(cspt_command_line *out, const char *const *args, size_t count);

#endif

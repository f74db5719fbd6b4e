// cspcc.c - the compiler drivers cspcc and csp++: clang's command line, with cspthread's runtime and sanitizer added.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Clang knows no -fsanitize=cspthread and lets no plugin add one, so the drivers take the word out of the command line,
// put in what it stands for, and become clang. Everything else is clang's: its messages, its exit status, its stages.
//   clang [ours, before]  the user's arguments  [ours, after]
// Ours stand between --start-no-unused-arguments and --end-no-unused-arguments: no stage warns that it had no use for
// them.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/flags.h"
#include "common/message.h"
#include "common/parts.h"
#include "driver/command_line.h"
#include "driver/find_clang.h"
#include "driver/response.h"

static bool is_linking(const cspt_command_line *cl)
{
    return cl->phase == CSPT_PHASE_LINK && (cl->inputs & ~(unsigned)CSPT_INPUT_HEADER) != 0;
}

// Clang's own kind of error, for what cannot work.
static void check_combination(const cspt_command_line *cl)
{
    if (!cl->sanitize)
        return;
    if (cl->conflict)
        cspt_fatal("invalid argument '-fsanitize=cspthread' not allowed with '-fsanitize=%s'", cl->conflict);
    if (cl->foreign_target)
        cspt_fatal("unsupported option '-fsanitize=cspthread' for target '%s'", cl->foreign_target);
    if (cl->static_option && is_linking(cl)) {
        cspt_error("invalid argument '%s' not allowed with '-fsanitize=cspthread'", cl->static_option);
        cspt_note("the detector's interceptors find the functions they stand before through the dynamic linker");
        cspt_fatal("static executables are not supported with '-fsanitize=cspthread'");
    }
}

static void add_compile_flags(cspt_argv *before, const cspt_command_line *cl, const cspt_parts *parts)
{
    unsigned what = 0;
    if (cl->inputs & (CSPT_INPUT_SOURCE | CSPT_INPUT_HEADER | CSPT_INPUT_ASM))
        what |= CSPT_INSTRUMENT_SOURCE; // assembly may be preprocessed, and see the macros
    if (cl->inputs & (CSPT_INPUT_SOURCE | CSPT_INPUT_HEADER | CSPT_INPUT_IR) && cl->phase != CSPT_PHASE_PREPROCESS) {
        cspt_parts_require(parts->plugin);
        what |= CSPT_INSTRUMENT_CODE;
        if (!cl->sets_interleaving)
            what |= CSPT_INSTRUMENT_INTERLEAVING;
        if (cl->shared || cl->relocatable)
            what |= CSPT_INSTRUMENT_LIBRARY;
    }
    cspt_flags_instrument(before, parts, what);
}

// A shared object and a relocatable one get no library: the executable has the one copy, and they bind to it.
static bool wants_libraries(const cspt_command_line *cl)
{
    return is_linking(cl) && !cl->shared && !cl->relocatable;
}

static void add_detector(cspt_argv *before, cspt_argv *after, const cspt_command_line *cl, const cspt_parts *parts)
{
    if (cl->no_sanitizer_runtime)
        return;
    cspt_parts_require(parts->detector);
    cspt_parts_require(parts->exported);
    cspt_flags_detector(before, parts);
    if (!cl->no_stdlib)
        cspt_flags_detector_needs(after);
}

static void add_runtime(cspt_argv *after, const cspt_command_line *cl, const cspt_parts *parts)
{
    if (cl->no_stdlib || cl->foreign_target)
        return;
    cspt_parts_require(parts->runtime);
    cspt_flags_runtime(after, parts);
}

static void push_without_unused_warnings(cspt_argv *out, const cspt_argv *ours)
{
    if (!ours->count)
        return;
    cspt_argv_push(out, "--start-no-unused-arguments");
    cspt_argv_push_all(out, ours);
    cspt_argv_push(out, "--end-no-unused-arguments");
}

static void compose(cspt_argv *out, const cspt_command_line *cl, const cspt_parts *parts)
{
    cspt_argv before = {0}, after = {0};
    if (!cl->query) {
        cspt_flags_include(&after, parts);
        if (cl->sanitize)
            add_compile_flags(&before, cl, parts);
        if (wants_libraries(cl) && cl->sanitize)
            add_detector(&before, &after, cl, parts);
        else if (wants_libraries(cl))
            add_runtime(&after, cl, parts);
    }
    push_without_unused_warnings(out, &before);
    cspt_argv_push_all(out, &cl->args);
    push_without_unused_warnings(out, &after);
    cspt_argv_fini(&before);
    cspt_argv_fini(&after);
}

// -cc1 and its kin speak to a stage of clang, not to the driver.
static bool is_stage(int argc, char **argv)
{
    return argc > 1 && cspt_starts_with(argv[1], "-cc1");
}

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    cspt_program_name = argc > 0 ? (slash ? slash + 1 : argv[0]) : "cspcc";

    cspt_argv command = {0};
    cspt_argv_push(&command, cspt_find_clang());
    if (is_stage(argc, argv)) {
        for (int i = 1; i < argc; i++)
            cspt_argv_push(&command, argv[i]);
    } else {
        if (strstr(cspt_program_name, "++"))
            cspt_argv_push(&command, "--driver-mode=g++"); // before the user's, which may be another
        size_t fixed = command.count;
        cspt_parts parts;
        cspt_parts_find(&parts);
        cspt_command_line cl;
        cspt_command_line_parse(&cl, (const char *const *)argv + 1, argc > 0 ? (size_t)argc - 1 : 0);
        check_combination(&cl);
        compose(&command, &cl, &parts);
        if (cl.verbose) {
            fprintf(stderr, "%s: ", cspt_program_name);
            cspt_argv_print(stderr, &command, true);
            fputc('\n', stderr);
        }
        cspt_response_shrink(&command, fixed);
    }
    execv(command.items[0], (char *const *)command.items);
    cspt_fatal("cannot run %s: %s", command.items[0], strerror(errno));
}

// command_line.c - what a clang command line asks for, as far as a driver in front of clang must know it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two things make this more than a search for words. An option may take the next argument as its value, and a value
// must not be taken for an option or an input (`-o -fsanitize=cspthread` names a file): value_options lists those
// options of clang 22, and test/tools/clang-options.test compares the list with clang's own table. And sanitizers are a
// set that every -fsanitize= adds to and every -fno-sanitize= takes from, in order.
#include "driver/command_line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "driver/clang_options.h"
#include "driver/response.h"
#include "driver/sanitizers.h"

static bool is_any_of(const char *arg, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(arg, *names) == 0)
            return true;
    return false;
}

// --- inputs
// ------------------------------------------------------------------------------------------------------------

static enum cspt_input kind_of_extension(const char *extension)
{
    static const struct {
        const char *name;
        enum cspt_input kind;
    } kinds[] = {
        {"s", CSPT_INPUT_ASM},       {"ll", CSPT_INPUT_IR},      {"bc", CSPT_INPUT_IR},
        {"c", CSPT_INPUT_SOURCE},    {"i", CSPT_INPUT_SOURCE},   {"ii", CSPT_INPUT_SOURCE},
        {"m", CSPT_INPUT_SOURCE},    {"mi", CSPT_INPUT_SOURCE},  {"mm", CSPT_INPUT_SOURCE},
        {"mii", CSPT_INPUT_SOURCE},  {"cc", CSPT_INPUT_SOURCE},  {"cp", CSPT_INPUT_SOURCE},
        {"cpp", CSPT_INPUT_SOURCE},  {"cxx", CSPT_INPUT_SOURCE}, {"c++", CSPT_INPUT_SOURCE},
        {"C", CSPT_INPUT_SOURCE},    {"CC", CSPT_INPUT_SOURCE},  {"CPP", CSPT_INPUT_SOURCE},
        {"CXX", CSPT_INPUT_SOURCE},  {"C++", CSPT_INPUT_SOURCE}, {"M", CSPT_INPUT_SOURCE},
        {"S", CSPT_INPUT_ASM},       {"asm", CSPT_INPUT_ASM},    {"sx", CSPT_INPUT_ASM},
        {"cppm", CSPT_INPUT_SOURCE}, {"ccm", CSPT_INPUT_SOURCE}, {"cxxm", CSPT_INPUT_SOURCE},
        {"c++m", CSPT_INPUT_SOURCE}, {"iim", CSPT_INPUT_SOURCE}, {"ixx", CSPT_INPUT_SOURCE},
        {"pcm", CSPT_INPUT_SOURCE},  {"ast", CSPT_INPUT_SOURCE}, {"cu", CSPT_INPUT_SOURCE},
        {"cui", CSPT_INPUT_SOURCE},  {"hip", CSPT_INPUT_SOURCE}, {"cl", CSPT_INPUT_SOURCE},
        {"h", CSPT_INPUT_HEADER},    {"H", CSPT_INPUT_HEADER},   {"hh", CSPT_INPUT_HEADER},
        {"hp", CSPT_INPUT_HEADER},   {"hpp", CSPT_INPUT_HEADER}, {"hxx", CSPT_INPUT_HEADER},
        {"h++", CSPT_INPUT_HEADER},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(extension, kinds[i].name) == 0)
            return kinds[i].kind;
    return CSPT_INPUT_LINKER; // clang hands what it does not know to the linker
}

static enum cspt_input kind_of_language(const char *language)
{
    if (strcmp(language, "ir") == 0)
        return CSPT_INPUT_IR;
    if (cspt_starts_with(language, "assembler"))
        return CSPT_INPUT_ASM;
    return strstr(language, "-header") ? CSPT_INPUT_HEADER : CSPT_INPUT_SOURCE;
}

// language: -x's value, NULL when the file's name decides.
static enum cspt_input kind_of_input(const char *file, const char *language)
{
    if (language)
        return kind_of_language(language);
    const char *base = strrchr(file, '/');
    const char *dot = strrchr(base ? base : file, '.');
    if (strcmp(file, "-") == 0)
        return CSPT_INPUT_SOURCE;
    return dot ? kind_of_extension(dot + 1) : CSPT_INPUT_LINKER;
}

// --- options
// -----------------------------------------------------------------------------------------------------------

static bool is_query(const char *arg)
{
    static const char *const names[] = {"--version", "-dumpversion",  "-dumpmachine", "--help",
                                        "-help",     "--help-hidden", "-help-hidden", NULL};
    return is_any_of(arg, names) || cspt_starts_with(arg, "-print-") || cspt_starts_with(arg, "--print-") ||
           cspt_starts_with(arg, "--autocomplete=");
}

static enum cspt_phase last_phase(const char *arg)
{
    static const char *const preprocess[] = {"-E", "-M", "-MM", "--preprocess", "--dependencies", "--user-dependencies",
                                             NULL};
    static const char *const compile[] = {"-c",
                                          "-S",
                                          "-fsyntax-only",
                                          "--compile",
                                          "--assemble",
                                          "--precompile",
                                          "--analyze",
                                          "-emit-ast",
                                          "-emit-interface-stubs",
                                          "-extract-api",
                                          "-fmodule-header",
                                          "-rewrite-objc",
                                          "-rewrite-legacy-objc",
                                          "--migrate",
                                          "-verify-pch",
                                          "-module-file-info",
                                          NULL};
    if (is_any_of(arg, preprocess))
        return CSPT_PHASE_PREPROCESS;
    return is_any_of(arg, compile) || cspt_starts_with(arg, "-fmodule-header=") ? CSPT_PHASE_COMPILE : CSPT_PHASE_LINK;
}

// One word for the linker, from -Wl, or -Xlinker.
static void note_linker_word(cspt_command_line *cl, const char *word, size_t n)
{
    static const char *const relocatable[] = {"-r", "-i", "--relocatable", "-relocatable"};
    static const char *const shared[] = {"-shared", "--shared", "-Bshareable"};
    for (size_t i = 0; i < sizeof relocatable / sizeof *relocatable; i++)
        cl->relocatable |= strlen(relocatable[i]) == n && memcmp(word, relocatable[i], n) == 0;
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        cl->shared |= strlen(shared[i]) == n && memcmp(word, shared[i], n) == 0;
}

static void note_linker_list(cspt_command_line *cl, const char *list)
{
    for (const char *end; *list; list = *end ? end + 1 : end) {
        end = strchrnul(list, ',');
        note_linker_word(cl, list, (size_t)(end - list));
    }
}

static void note_target(cspt_command_line *cl, const char *triple)
{
    cl->foreign_target = cspt_starts_with(triple, "x86_64-") && strstr(triple, "linux") && !strstr(triple, "gnux32") &&
                                 !strstr(triple, "android")
                             ? NULL
                             : triple;
}

// An option without regard to its place; `value` is the next argument when the option takes one, else NULL.
static void note_option(cspt_command_line *cl, const char *arg, const char *value)
{
    static const char *const shared[] = {"-shared", "--shared", "-dynamiclib", "-bundle", NULL};
    static const char *const statics[] = {"-static", "--static", "-static-pie", NULL};
    static const char *const no_libraries[] = {"-nostdlib", "--no-standard-libraries", "-nodefaultlibs", NULL};

    enum cspt_phase phase = last_phase(arg);
    if (phase < cl->phase)
        cl->phase = phase;
    cl->query |= is_query(arg);
    cl->verbose |= strcmp(arg, "-v") == 0 || strcmp(arg, "--verbose") == 0 || strcmp(arg, "-###") == 0;
    cl->shared |= is_any_of(arg, shared);
    cl->relocatable |= strcmp(arg, "-r") == 0;
    cl->no_stdlib |= is_any_of(arg, no_libraries);
    if (is_any_of(arg, statics))
        cl->static_option = arg;
    if (strcmp(arg, "-fno-sanitize-link-runtime") == 0)
        cl->no_sanitizer_runtime = true;
    if (strcmp(arg, "-fsanitize-link-runtime") == 0)
        cl->no_sanitizer_runtime = false;
    if (strcmp(arg, "-m32") == 0 || strcmp(arg, "-mx32") == 0 || strcmp(arg, "-m16") == 0)
        cl->foreign_target = arg;
    if (strcmp(arg, "-m64") == 0)
        cl->foreign_target = NULL;
    if (cspt_starts_with(arg, "--target="))
        note_target(cl, arg + strlen("--target="));
    if (value && strcmp(arg, "-target") == 0)
        note_target(cl, value);
    if (cspt_starts_with(arg, "-l") || cspt_starts_with(arg, "-Wl,") || strcmp(arg, "-Xlinker") == 0)
        cl->inputs |= CSPT_INPUT_LINKER;
    if (cspt_starts_with(arg, "-Wl,"))
        note_linker_list(cl, arg + strlen("-Wl,"));
    if (value && strcmp(arg, "-Xlinker") == 0)
        note_linker_word(cl, value, strlen(value));
    if (value && strcmp(arg, "-mllvm") == 0 && strstr(value, "-enable-interleaved-mem-accesses"))
        cl->sets_interleaving = true;
}

// -x c, -xc, --language=c, --language c; "none" gives the decision back to the file's name.
static void note_language(const char **language, const char *arg, const char *value)
{
    const char *set = NULL;
    if (value && (strcmp(arg, "-x") == 0 || strcmp(arg, "--language") == 0))
        set = value;
    else if (cspt_starts_with(arg, "--language="))
        set = arg + strlen("--language=");
    else if (cspt_starts_with(arg, "-x") && arg[2])
        set = arg + 2;
    if (set)
        *language = strcmp(set, "none") == 0 ? NULL : set;
}

// After `--` every argument is an input. The `--` itself is dropped, since what the driver adds must be able to follow
// the inputs; a name that starts with a minus keeps its meaning as a path.
static void take_rest_as_inputs(cspt_command_line *cl, const cspt_argv *all, size_t from, const char *language)
{
    for (size_t i = from; i < all->count; i++) {
        const char *file = all->items[i];
        cl->inputs |= kind_of_input(file, language);
        cspt_argv_push(&cl->args, file[0] == '-' && file[1] ? cspt_format("./%s", file) : file);
    }
}

void cspt_command_line_parse(cspt_command_line *cl, const char *const *args, size_t count)
{
    *cl = (cspt_command_line){.phase = CSPT_PHASE_LINK};
    cspt_argv all = {0};
    cspt_response_expand(&all, args, count);
    cspt_sanitizers sanitizers = {0};
    const char *language = NULL;

    for (size_t i = 0; i < all.count; i++) {
        const char *arg = all.items[i];
        if (strcmp(arg, "--") == 0) {
            take_rest_as_inputs(cl, &all, i + 1, language);
            break;
        }
        if (arg[0] != '-' || !arg[1]) {
            cl->inputs |= kind_of_input(arg, language);
            cspt_argv_push(&cl->args, arg);
            continue;
        }
        size_t values = cspt_clang_option_values(arg);
        const char *value = values && i + 1 < all.count ? all.items[i + 1] : NULL;
        note_option(cl, arg, value);
        note_language(&language, arg, value);
        arg = cspt_sanitizers_note(&sanitizers, arg);
        if (arg)
            cspt_argv_push(&cl->args, arg);
        for (; values && i + 1 < all.count; values--)
            cspt_argv_push(&cl->args, all.items[++i]);
    }
    cl->sanitize = cspt_sanitizers_has(&sanitizers, "cspthread");
    cl->conflict = cl->sanitize ? cspt_sanitizers_conflict(&sanitizers) : NULL;
    cspt_argv_fini(&all);
}

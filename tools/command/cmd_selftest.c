// cmd_selftest.c - csp selftest: plants one mistake of each class and fails unless each is reported, and nothing else is.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A checker that finds nothing looks like a program without mistakes. This tells them apart, on the machine and with the compiler
// and the options (CSPTHREAD_OPTIONS) at hand: the program is carried along as source and compiled by the cspcc beside us.
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"
#include "common/argv.h"
#include "common/child.h"
#include "common/message.h"
#include "common/parts.h"

// tools/selftest/planted.c, as it stood when csp was built.
extern const char source_begin[], source_end[];
__asm__(".pushsection .rodata\n"
        "source_begin: .incbin \"" CSP_SELFTEST_SOURCE "\"\n"
        "source_end:\n"
        ".popsection");

enum { STATUS_ALL_ASLEEP = 2 };

static const struct planted {
    const char *name;  // the program's argument
    const char *title; // what it is
    int status;        // the program ends so
    const char *words; // a line that starts so is on its standard error; NULL: nothing is
    const char *also;  // and this is somewhere on it; NULL: nothing more is asked
} planted[] = {
    {"race", "data race", CSPT_STATUS_FINDINGS, "WARNING: CspThreadSanitizer: data race", "Previous write"},
    {"stuck", "leaked coroutine, out of reach", CSPT_STATUS_FINDINGS, "WARNING: CspThreadSanitizer: coroutine leak",
     NULL},
    {"orphaned", "leaked coroutine, within reach", CSPT_STATUS_FINDINGS, "WARNING: CspThreadSanitizer: coroutine leak",
     NULL},
    {"deadlock", "deadlock of two coroutines", CSPT_STATUS_FINDINGS, "WARNING: CspThreadSanitizer: deadlock",
     "waits for"},
    {"inversion", "locks in opposite orders", CSPT_STATUS_FINDINGS,
     "WARNING: CspThreadSanitizer: lock-order-inversion (potential deadlock)", "previously acquired"},
    {"all-asleep", "deadlock of the whole program", STATUS_ALL_ASLEEP, "fatal error: all coroutines are asleep",
     "waits at"},
    {"late", "coroutine that ends by itself: no report", 0, NULL, NULL},
    {"nothing", "no mistake: no report", 0, NULL, NULL},
};
enum { N_PLANTED = sizeof planted / sizeof *planted };

void cspt_help_selftest(void)
{
    puts("usage: csp selftest [--keep]\n"
         "\n"
         "Compiles a small program with one mistake of each class - a race, leaks, deadlocks, locks taken in opposite\n"
         "orders - runs it once for each with the CSPTHREAD_OPTIONS of the environment, and says for each whether it "
         "was\n"
         "reported. Also that nothing is reported where there is nothing. Fails if any of this is not so.\n"
         "\n"
         "  -k, --keep  leave the program and its output where they are, and say where\n"
         "  -h, --help  this text\n"
         "\n"
         "exit status: 0 all was as it should be, 70 something was not, 64 wrong usage");
}

// What a child wrote to standard error.
typedef struct output {
    char *text;
    size_t size;
} output;

static void collect(void *arg, const char *bytes, size_t size)
{
    output *out = arg;
    char *more = realloc(out->text, out->size + size + 1);
    if (!more)
        cspt_fatal("out of memory");
    memcpy(more + out->size, bytes, size);
    out->text = more;
    out->size += size;
    more[out->size] = 0;
}

// Ends csp by the signal, when it was interrupted.
static int run(char *const *argv, output *out, const char *folder)
{
    cspt_child_result result;
    cspt_target program = {.skip_status = -1};
    for (char *const *word = argv; *word; word++)
        cspt_argv_push(&program.command, *word);
    int error = cspt_child_run(&program, 0, collect, out, &result);
    cspt_argv_fini(&program.command);
    if (error)
        cspt_fatal("selftest: %s: %s", argv[0], strerror(error));
    if (result.interrupted) {
        cspt_note("selftest: interrupted; %s is left behind", folder);
        cspt_child_die_by(result.interrupted);
    }
    return WIFEXITED(result.wait_status) ? WEXITSTATUS(result.wait_status) : 128 + WTERMSIG(result.wait_status);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *f = fopen(path, "w");
    bool written = f && fwrite(bytes, 1, size, f) == size;
    if (!f || fclose(f) != 0 || !written)
        cspt_fatal("selftest: %s: %s", path, strerror(errno));
}

static bool compile(const cspt_parts *parts, const char *folder, char *program)
{
    char *source = cspt_format("%s.c", program), *cspcc = cspt_format("%s/cspcc", parts->bin);
    static char sanitize[] = "-fsanitize=cspthread", debug[] = "-g", optimize[] = "-O1", to[] = "-o";
    char *argv[] = {cspcc, sanitize, debug, optimize, source, to, program, NULL};
    output out = {0};
    write_file(source, source_begin, (size_t)((uintptr_t)source_end - (uintptr_t)source_begin));
    int status = run(argv, &out, folder);
    if (status)
        cspt_error("selftest: %s ended with status %d:\n%s", cspcc, status, out.text ? out.text : "");
    free(out.text);
    free(source);
    free(cspcc);
    return status == 0;
}

static bool has_line(const char *text, const char *start)
{
    for (const char *at = text; (at = strstr(at, start)) != NULL; at++)
        if (at == text || at[-1] == '\n')
            return true;
    return false;
}

// NULL: as it should be.
static char *judge(const struct planted *p, int status, const char *text)
{
    if (p->words && !has_line(text, p->words))
        return cspt_format("not reported");
    if (!p->words && *text)
        return cspt_format("reported, but should not be");
    if (p->also && !strstr(text, p->also))
        return cspt_format("the report does not say '%s'", p->also);
    if (status != p->status)
        return cspt_format("exit status %d, expected %d", status, p->status);
    return NULL;
}

static bool run_one(const struct planted *p, const char *folder, char *program)
{
    char *name = cspt_format("%s", p->name), *log = cspt_format("%s/%s.log", folder, p->name);
    char *argv[] = {program, name, NULL};
    output out = {0};
    int status = run(argv, &out, folder);
    const char *text = out.text ? out.text : "";
    write_file(log, text, strlen(text));
    char *wrong = judge(p, status, text);
    if (wrong)
        printf("FAILED  %s: %s\n", p->title, wrong);
    else
        printf("ok      %s\n", p->title);
    fflush(stdout);
    bool right = !wrong;
    free(wrong);
    free(out.text);
    free(log);
    free(name);
    return right;
}

static void remove_folder(const char *folder)
{
    DIR *d = opendir(folder);
    int fd = d ? dirfd(d) : -1;
    for (const struct dirent *e; fd >= 0 && (e = readdir(d));)
        unlinkat(fd, e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(folder);
}

static int test_all(bool keep)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = cspt_format("%s/csp-selftest-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    cspt_parts parts;
    int failed = 0;
    cspt_parts_find(&parts);
    if (!mkdtemp(folder))
        cspt_fatal("selftest: %s: %s", folder, strerror(errno));
    char *program = cspt_format("%s/planted", folder);
    cspt_child_prepare();
    bool compiled = compile(&parts, folder, program);
    for (int i = 0; compiled && i < N_PLANTED; i++)
        failed += !run_one(&planted[i], folder, program);
    if (compiled && failed)
        printf("%d of %d failed\n", failed, N_PLANTED);
    else if (compiled)
        printf("all %d as they should be\n", N_PLANTED);
    if (keep)
        printf("left in %s\n", folder);
    else
        remove_folder(folder);
    free(program);
    free(folder);
    return compiled && !failed ? CSPT_STATUS_CLEAN : CSPT_STATUS_FAILED;
}

int cspt_cmd_selftest(int argc, char **argv)
{
    static const struct option options[] = {
        {"keep", no_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool keep = false;
    for (int option; (option = getopt_long(argc, argv, "kh", options, NULL)) != -1;) {
        if (option == 'h') {
            cspt_help_selftest();
            return CSPT_STATUS_CLEAN;
        }
        if (option != 'k') {
            cspt_note("`csp help selftest` tells what there is");
            return CSPT_STATUS_USAGE;
        }
        keep = true;
    }
    if (optind < argc) {
        cspt_error("selftest: unexpected argument '%s'", argv[optind]);
        return CSPT_STATUS_USAGE;
    }
    return test_all(keep);
}

// csp.c - the csp command: finds the verb, and helps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "common/argv.h"
#include "common/message.h"

static const struct verb {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
    void (*help)(void);
} verbs[] = {
    {"config", "print the flags that build with cspthread, for other build systems", cspt_cmd_config, cspt_help_config},
    {"merge", "unite what the shards of one csp test found", cspt_cmd_merge, cspt_help_merge},
    {"minimize", "leave out of a schedule what its finding does not need, and print what is left", cspt_cmd_minimize,
     cspt_help_minimize},
    {"replay", "show a run that `csp test` found again, or explore near it", cspt_cmd_replay, cspt_help_replay},
    {"selftest", "plant one mistake of each class and see that each is reported", cspt_cmd_selftest,
     cspt_help_selftest},
    {"test", "run a program repeatedly and collect what the detector finds", cspt_cmd_test, cspt_help_test},
};
enum { N_VERBS = sizeof verbs / sizeof *verbs };

static void print_help(void)
{
    puts("usage: csp VERB [options] ...\n"
         "\n"
         "Works with programs built by cspcc and csp++ (cspcc -fsanitize=cspthread -g main.c).\n"
         "\n"
         "verbs:");
    for (int i = 0; i < N_VERBS; i++)
        printf("  %-9s %s\n", verbs[i].name, verbs[i].summary);
    puts("\n"
         "`csp help VERB` tells more about one.\n"
         "\n"
         "exit status: 0 clean, 66 findings, 64 wrong usage or a missing program, 70 csp itself failed");
}

static const struct verb *find_verb(const char *name)
{
    for (int i = 0; i < N_VERBS; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

// Edits (insert, delete, replace) that turn a into b. Short words: the plain recursion is short and fast enough.
static size_t edit_distance(const char *a, const char *b, size_t budget)
{
    if (!*a || !*b)
        return strlen(a) + strlen(b);
    if (*a == *b)
        return edit_distance(a + 1, b + 1, budget);
    if (!budget)
        return 1;
    size_t best = edit_distance(a + 1, b, budget - 1);
    size_t other = edit_distance(a, b + 1, budget - 1);
    best = other < best ? other : best;
    other = edit_distance(a + 1, b + 1, budget - 1);
    return 1 + (other < best ? other : best);
}

static int refuse_verb(const char *name)
{
    enum { NEAR = 2 };
    cspt_error("unknown verb '%s'", name);
    for (int i = 0; i < N_VERBS; i++)
        if (edit_distance(name, verbs[i].name, NEAR) <= NEAR || (*name && cspt_starts_with(verbs[i].name, name)))
            cspt_note("did you mean '%s'?", verbs[i].name);
    cspt_note("`csp --help` lists the verbs");
    return CSPT_STATUS_USAGE;
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        print_help();
        return CSPT_STATUS_CLEAN;
    }
    const struct verb *verb = find_verb(argv[1]);
    if (!verb)
        return refuse_verb(argv[1]);
    verb->help();
    return CSPT_STATUS_CLEAN;
}

static int run_verb(int argc, char **argv)
{
    if (strcmp(argv[0], "help") == 0)
        return help(argc, argv);
    const struct verb *verb = find_verb(argv[0]);
    if (!verb)
        return refuse_verb(argv[0]);
    argv[0] = cspt_format("csp %s", verb->name); // the name getopt puts in front of its messages
    optind = 0;                                  // the verb parses its own options: start getopt anew
    return verb->run(argc, argv);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "+hV", options, NULL)) != -1;) {
        switch (option) {
        case 'h':
            print_help();
            return CSPT_STATUS_CLEAN;
        case 'V':
            printf("csp %s (cspthread, LLVM %d)\n", CSP_VERSION, CSP_LLVM_MAJOR);
            return CSPT_STATUS_CLEAN;
        default:
            cspt_note("`csp --help` tells what there is");
            return CSPT_STATUS_USAGE;
        }
    }
    if (optind == argc) {
        cspt_error("no verb given");
        cspt_note("`csp --help` tells what there is");
        return CSPT_STATUS_USAGE;
    }
    return run_verb(argc - optind, argv + optind);
}

// Whoever closed one gets /dev/null there, before a file of ours takes its place.
static void open_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    static char name[] = "csp";
    open_standard_descriptors();
    cspt_program_name = name;
    cspt_fatal_status = CSPT_STATUS_FAILED;
    if (argc > 0)
        argv[0] = name; // for getopt's messages, however it was called
    int status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cspt_error("cannot write to standard output");
        return CSPT_STATUS_FAILED;
    }
    return status;
}

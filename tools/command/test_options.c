// test_options.c - the command line of csp test.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "command/test_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "common/message.h"

enum option_value { DEPTH = 1000, POINTS, SHARD, TIMEOUT, PLAIN, CHECK, SCHEDULES, FILTER };

static const struct option options[] = {{"count", required_argument, NULL, 'n'},
                                        {"time", required_argument, NULL, 't'},
                                        {"strategy", required_argument, NULL, 's'},
                                        {"seed", required_argument, NULL, 'S'},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"depth", required_argument, NULL, DEPTH},
                                        {"points", required_argument, NULL, POINTS},
                                        {"shard", required_argument, NULL, SHARD},
                                        {"timeout", required_argument, NULL, TIMEOUT},
                                        {"plain", no_argument, NULL, PLAIN},
                                        {"check-determinism", no_argument, NULL, CHECK},
                                        {"schedules", required_argument, NULL, SCHEDULES},
                                        {"filter", required_argument, NULL, FILTER},
                                        CSPT_OUTPUT_OPTIONS,
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"verbose", no_argument, NULL, 'v'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

void cspt_help_test(void)
{
    puts("usage: csp test [options] [--] PROGRAM [ARGUMENT ...]\n"
         "       csp test [options] PROGRAM|FOLDER ... --\n"
         "       csp test [options] PROGRAM|FOLDER ... -- PROGRAM [ARGUMENT ...]\n"
         "\n"
         "Explores the schedules of programs built with -fsanitize=cspthread: each run is another one, chosen from a "
         "seed\n"
         "and repeatable by it. Each distinct finding is shown once; the summary says how often it came, its smallest\n"
         "seed, and the command that shows it again. A googletest program's tests are explored one by one; a FOLDER is "
         "a\n"
         "CMake build folder, whose tests CTest knows. A program built otherwise is run as it is, with its output "
         "passed\n"
         "through.\n"
         "\n"
         "A finding is what the detector reports - a race, a leak, a deadlock, ... -, and a crash, a panic, an exit\n"
         "status other than 0, or a timeout under any schedule.\n"
         "\n"
         "how much\n"
         "  -n, --count N          schedules per test (default 100; runs of plain programs: 1)\n"
         "  -t, --time TIME        until so much time has passed, over all tests: 10s, 5m, 1h\n"
         "  -j, --jobs N           runs at a time (default: the number of processors)\n"
         "      --timeout TIME     of one run, which is then killed (default 60s, or CTest's)\n"
         "      --shard I/N        only part I of N, from 1, of the tests; of the seeds when there are fewer tests.\n"
         "                         auto, auto/N: as Kubernetes or Slurm say. Also CSP_SHARD, Bazel's and GoogleTest's\n"
         "                         variables\n"
         "      --filter REGEX     only tests whose names match (extended regular expression)\n"
         "\n"
         "which schedules\n"
         "  -s, --strategy S       random, pct, pos, urw, rr, or portfolio, which takes turns (default)\n"
         "  -S, --seed N           base seed, from which those of the schedules are made (default: a random one; of "
         "shards 1)\n"
         "      --depth D          of the bugs that pct looks for: how many orderings they take (default 3)\n"
         "      --points WHERE     where another task may go on: sync (operations that synchronise, the default), all\n"
         "                         (plain accesses of memory, too)\n"
         "      --plain            run programs as they are, as those built otherwise are\n"
         "      --check-determinism  run the first 20 seeds twice more; two different runs of one seed are a finding\n"
         "\n"
         "what is written\n"
         "      --schedules DIR    where the schedules of findings are kept (default csp-schedules, made when there is "
         "one)\n"
         "  -q, --quiet            no progress\n"
         "  -v, --verbose          a line for every run, and what it wrote\n"
         "  -h, --help             this text");
    fputs(cspt_outputs_help, stdout);
    puts("\n"
         "exit status: 0 clean, 66 findings, 64 wrong usage, a missing program or no tests, 70 csp itself failed");
}

bool cspt_parse_number(const char *text, uint64_t least, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return isdigit((unsigned char)*text) && !errno && !*end && *out >= least;
}

bool cspt_parse_duration(const char *text, double *out)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"min", 60}, {"h", 3600}};
    char *end;
    if (!isdigit((unsigned char)*text) || strpbrk(text, "xX"))
        return false;
    *out = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0) {
            *out *= units[i].seconds;
            return *out > 0 && *out <= 1e9;
        }
    return false;
}

static bool take_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    if (cspt_parse_number(text, least, out) && *out <= most)
        return true;
    if (most == UINT64_MAX)
        cspt_error("test: --%s takes a number from %llu, not '%s'", name, (unsigned long long)least, text);
    else
        cspt_error("test: --%s takes a number from %llu to %llu, not '%s'", name, (unsigned long long)least,
                   (unsigned long long)most, text);
    return false;
}

static bool take_duration(const char *name, const char *text, double *out)
{
    if (cspt_parse_duration(text, out))
        return true;
    cspt_error("test: --%s takes a time such as 10s or 5m, not '%s'", name, text);
    return false;
}

static bool take_word(const char *name, const char *text, const char *const *words, const char **out)
{
    for (; *words; words++)
        if (strcmp(*words, text) == 0) {
            *out = text;
            return true;
        }
    cspt_error("test: --%s: there is no '%s'", name, text);
    cspt_note("`csp help test` tells what there is");
    return false;
}

static bool take_option(cspt_test_options *o, int option, const char *text)
{
    static const char *const strategies[] = {"random", "pct", "pos", "urw", "rr", "portfolio", NULL},
                             *const points[] = {"sync", "all", NULL};
    uint64_t n = 0;
    switch (option) {
    case 'n':
        return take_number("count", text, 1, UINT64_MAX - 1, &o->count);
    case 't':
        return take_duration("time", text, &o->time_s);
    case 's':
        return take_word("strategy", text, strategies, &o->strategy);
    case 'S':
        o->has_seed = true;
        return take_number("seed", text, 0, UINT64_MAX, &o->seed);
    case 'j':
        if (!take_number("jobs", text, 1, 1024, &n))
            return false;
        o->jobs = (unsigned)n;
        return true;
    case DEPTH:
        if (!take_number("depth", text, 1, 100, &n))
            return false;
        o->depth = (unsigned)n;
        return true;
    case POINTS:
        return take_word("points", text, points, &o->points);
    case SHARD:
        o->shard = text;
        return true;
    case TIMEOUT:
        return take_duration("timeout", text, &o->timeout_s);
    case PLAIN:
        o->plain = true;
        return true;
    case CHECK:
        o->check_determinism = true;
        return true;
    case SCHEDULES:
        o->schedules = text;
        return true;
    case FILTER:
        o->filter = text;
        return true;
    case 'q':
        o->quiet = true;
        return true;
    default: // 'v'
        o->verbose = true;
        return true;
    }
}

// --- programs -----------------------------------------------------------------------------------------------------------------

static void add_group(cspt_test_options *o, char *const *words, size_t n)
{
    o->groups = reallocarray(o->groups, o->n_groups + 1, sizeof *o->groups);
    if (!o->groups)
        cspt_fatal("out of memory");
    o->groups[o->n_groups++] = (struct cspt_words){.words = words, .count = n};
}

// Words before a "--" are programs without arguments, unless one begins like an option: then all is one command, whose own
// the "--" is.
static void take_programs(cspt_test_options *o, char *const *words, size_t n, bool is_command)
{
    size_t dashes = 0;
    bool is_list = !is_command;
    while (is_list && dashes < n && strcmp(words[dashes], "--") != 0)
        is_list = words[dashes++][0] != '-';
    if (!is_list || dashes == n) {
        add_group(o, words, n);
        return;
    }
    for (size_t i = 0; i < dashes; i++)
        add_group(o, words + i, 1);
    if (dashes + 1 < n)
        add_group(o, words + dashes + 1, n - dashes - 1);
}

bool cspt_test_options_parse(cspt_test_options *o, int argc, char **argv, int *status)
{
    *o = (cspt_test_options){.strategy = "portfolio"};
    *status = CSPT_STATUS_USAGE;
    for (int option; (option = getopt_long(argc, argv, "+n:t:s:S:j:qvh", options, NULL)) != -1;) {
        if (option == 'h') {
            cspt_help_test();
            *status = CSPT_STATUS_CLEAN;
            return false;
        }
        if (option == '?') {
            cspt_note("`csp help test` tells what there is");
            return false;
        }
        if (option >= CSPT_OUTPUT_FIRST)
            cspt_outputs_option(&o->outputs, option, optarg);
        else if (!take_option(o, option, optarg))
            return false;
    }
    if (optind == argc) {
        cspt_error("test: no program given");
        cspt_note("`csp help test` tells how to call it");
        return false;
    }
    take_programs(o, argv + optind, (size_t)(argc - optind), strcmp(argv[optind - 1], "--") == 0);
    return true;
}

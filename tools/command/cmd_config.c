// cmd_config.c - csp config: the flags cspcc would add, for build systems that call clang themselves.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "common/argv.h"
#include "common/flags.h"
#include "common/message.h"
#include "common/parts.h"

enum item { CC, CXX, CFLAGS, LDFLAGS, LIBS, PREFIX, PLUGIN, N_ITEMS };

static const char *const item_names[N_ITEMS] = {"cc", "cxx", "cflags", "ldflags", "libs", "prefix", "plugin"};

void cspt_help_config(void)
{
    puts("usage: csp config [--sanitize] [--cc] [--cxx] [--cflags] [--ldflags] [--libs] [--prefix] [--plugin]\n"
         "\n"
         "Prints the flags that cspcc adds to clang's command line, each as one line, quoted for a shell;\n"
         "without a choice, all of them with their names.\n"
         "\n"
         "  --sanitize  the flags of -fsanitize=cspthread; without it those of the plain runtime\n"
         "  --cc, --cxx the drivers, which need no flags\n"
         "  --cflags    for compiling C and C++ with clang, before your own\n"
         "  --ldflags   for linking an executable with clang, before the objects\n"
         "  --libs      for linking an executable, after the objects\n"
         "  --prefix    where cspthread lies\n"
         "  --plugin    the compiler plugin\n"
         "\n"
         "  clang-22 $(csp config --sanitize --cflags) -g -c main.c\n"
         "  clang-22 $(csp config --sanitize --ldflags) main.o $(csp config --sanitize --libs)");
}

static void collect(cspt_argv *out, enum item item, bool sanitize, const cspt_parts *parts)
{
    switch (item) {
    case CC:
        cspt_argv_push(out, cspt_format("%s/cspcc", parts->bin));
        break;
    case CXX:
        cspt_argv_push(out, cspt_format("%s/csp++", parts->bin));
        break;
    case CFLAGS:
        if (sanitize)
            cspt_flags_instrument(out, parts,
                                  CSPT_INSTRUMENT_SOURCE | CSPT_INSTRUMENT_CODE | CSPT_INSTRUMENT_INTERLEAVING);
        cspt_flags_include(out, parts);
        break;
    case LDFLAGS:
        if (sanitize)
            cspt_flags_detector(out, parts);
        break;
    case LIBS:
        if (sanitize)
            cspt_flags_detector_needs(out);
        else
            cspt_flags_runtime(out, parts);
        break;
    case PREFIX:
        cspt_argv_push(out, parts->root);
        break;
    case PLUGIN:
        cspt_argv_push(out, parts->plugin);
        break;
    case N_ITEMS:
        break;
    }
}

static void require_parts(enum item item, bool sanitize, const cspt_parts *parts)
{
    if (item == PLUGIN || (item == CFLAGS && sanitize))
        cspt_parts_require(parts->plugin);
    if (item == LDFLAGS && sanitize)
        cspt_parts_require(parts->detector);
    if (item == LIBS && !sanitize)
        cspt_parts_require(parts->runtime);
}

// name: NULL when it was asked for alone.
static void print_item(enum item item, const char *name, bool sanitize, const cspt_parts *parts)
{
    cspt_argv words = {0};
    require_parts(item, sanitize, parts);
    collect(&words, item, sanitize, parts);
    if (name)
        printf("%s: ", name);
    cspt_argv_print(stdout, &words, false);
    putchar('\n');
    cspt_argv_fini(&words);
}

int cspt_cmd_config(int argc, char **argv)
{
    enum { OPTION_SANITIZE = 0x100, OPTION_ITEM };
    struct option options[N_ITEMS + 3] = {{"sanitize", no_argument, NULL, OPTION_SANITIZE},
                                          {"help", no_argument, NULL, 'h'}};
    for (int i = 0; i < N_ITEMS; i++)
        options[i + 2] = (struct option){item_names[i], no_argument, NULL, OPTION_ITEM + i};

    bool sanitize = false;
    enum item wanted[64];
    size_t count = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            cspt_help_config();
            return CSPT_STATUS_CLEAN;
        } else if (option == OPTION_SANITIZE) {
            sanitize = true;
        } else if (option >= OPTION_ITEM && option < OPTION_ITEM + N_ITEMS && count < sizeof wanted / sizeof *wanted) {
            wanted[count++] = (enum item)(option - OPTION_ITEM);
        } else {
            cspt_note("`csp help config` tells what there is");
            return CSPT_STATUS_USAGE;
        }
    }
    if (optind < argc) {
        cspt_error("config: unexpected argument '%s'", argv[optind]);
        return CSPT_STATUS_USAGE;
    }
    cspt_parts parts;
    cspt_parts_find(&parts);
    for (size_t i = 0; i < count; i++)
        print_item(wanted[i], NULL, sanitize, &parts);
    for (int i = 0; count == 0 && i < N_ITEMS; i++)
        print_item((enum item)i, item_names[i], sanitize, &parts);
    return CSPT_STATUS_CLEAN;
}

// message.c - messages of the tools on standard error, in clang's form: "cspcc: error: ...".
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "common/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *cspt_program_name = "csp";
int cspt_fatal_status = 1;

static void print_message(const char *kind, const char *format, va_list args)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s: ", cspt_program_name, kind);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void cspt_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message("error", format, args);
    va_end(args);
}

void cspt_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message("note", format, args);
    va_end(args);
}

void cspt_fatal(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message("error", format, args);
    va_end(args);
    exit(cspt_fatal_status);
}

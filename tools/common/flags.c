// flags.c - what has to be added to a clang command line: the one place, for cspcc and for `csp config`.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "common/flags.h"

#include <string.h>

static void push_pair(cspt_argv *out, const char *option, const char *value)
{
    cspt_argv_push(out, option);
    cspt_argv_push(out, value);
}

void cspt_flags_instrument(cspt_argv *out, const cspt_parts *parts, unsigned what)
{
    if (what & CSPT_INSTRUMENT_SOURCE) {
        // For the compiler proper only, so that nothing of ThreadSanitizer is linked: functions then carry
        // sanitize_thread, which keeps loads from being speculated (a race the source does not have), gives
        // no_sanitize("thread"), ignore lists and __has_feature their meaning, and keeps checked and exempt functions
        // from being inlined into each other.
        push_pair(out, "-Xclang", "-fsanitize=thread");
        // A tail call replaces its caller's frame, which a report should show.
        cspt_argv_push(out, "-fno-optimize-sibling-calls");
    }
    if (what & CSPT_INSTRUMENT_CODE) {
        cspt_argv_push(out, cspt_format("-fplugin=%s", parts->plugin));
        cspt_argv_push(out, cspt_format("-fpass-plugin=%s", parts->plugin));
    }
    // Interleaved vectorisation loads the gaps between the elements it uses: races on bytes the source never touches.
    if (what & CSPT_INSTRUMENT_INTERLEAVING)
        push_pair(out, "-mllvm", "-enable-interleaved-mem-accesses=false");
    // Without -fPIC clang compiles for executables. What it makes of such code may link as a library all the same; ours would not.
    if (what & CSPT_INSTRUMENT_LIBRARY) { // for the compiler: the assembler takes -mllvm, too, and has no plugin
        push_pair(out, "-Xclang", "-mllvm");
        push_pair(out, "-Xclang", "-csp-local-exec=false");
    }
}

void cspt_flags_include(cspt_argv *out, const cspt_parts *parts)
{
    // Naming a folder the compiler searches anyway would move it to the front, away from the C++ library's headers that
    // expect it after theirs (#include_next).
    if (strcmp(parts->include, "/usr/include") != 0 && strcmp(parts->include, "/usr/local/include") != 0)
        push_pair(out, "-isystem", parts->include);
}

// -Xlinker rather than a file name: not subject to -x, and a comma in the path does no harm as it would in -Wl.
static void push_for_linker(cspt_argv *out, const char *word)
{
    push_pair(out, "-Xlinker", word);
}

void cspt_flags_detector(cspt_argv *out, const cspt_parts *parts)
{
    push_for_linker(out, "--whole-archive"); // interceptors are wanted though nothing may refer to them
    push_for_linker(out, parts->detector);
    push_for_linker(out, "--no-whole-archive");
    // Shared objects of the program, also those loaded with dlopen, bind to the executable's detector.
    push_for_linker(out, cspt_format("--dynamic-list=%s", parts->exported));
}

void cspt_flags_detector_needs(cspt_argv *out)
{
    // Debian's libunwind.a, which the detector carries, is not position independent; programs' own objects may be.
    cspt_argv_push(out, "-no-pie");
    cspt_argv_push(out, "-lpthread");
    cspt_argv_push(out, "-ldl");
    cspt_argv_push(out, "-lm");
}

void cspt_flags_runtime(cspt_argv *out, const cspt_parts *parts)
{
    cspt_argv_push(out, cspt_format("-L%s", parts->lib));
    cspt_argv_push(out, "-lcsp");
    cspt_argv_push(out, "-lpthread");
}

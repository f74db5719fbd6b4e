// flags.h - what has to be added to a clang command line: the one place, for cspcc and for `csp config`.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_FLAGS_H
#define CSP_TOOLS_FLAGS_H

#include "common/argv.h"
#include "common/parts.h"

enum cspt_instrument {
    CSPT_INSTRUMENT_SOURCE = 1,       // C, C++ and Objective-C: Clang's half
    CSPT_INSTRUMENT_CODE = 2,         // anything that becomes LLVM code: the passes
    CSPT_INSTRUMENT_INTERLEAVING = 4, // the option LLVM takes only once
    CSPT_INSTRUMENT_LIBRARY = 8,      // it may become part of a shared library, -fPIC or not
};

// Goes before the user's own flags.
void cspt_flags_instrument(cspt_argv *out, const cspt_parts *parts, unsigned what);
// Goes after them: the user's -I and -isystem win.
void cspt_flags_include(cspt_argv *out, const cspt_parts *parts);

// The detector, before all objects: its malloc is the first one the linker meets.
void cspt_flags_detector(cspt_argv *out, const cspt_parts *parts);
// What the detector needs from the system, after all objects.
void cspt_flags_detector_needs(cspt_argv *out);
// The plain runtime, after all objects.
void cspt_flags_runtime(cspt_argv *out, const cspt_parts *parts);

#endif

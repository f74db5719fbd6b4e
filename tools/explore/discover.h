// discover.h - finds the tests that the words of the command line stand for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_DISCOVER_H
#define CSP_TOOLS_DISCOVER_H

#include "common/target.h"

typedef struct cspt_discovery {
    cspt_targets targets;
    bool plain; // nothing is explored, whatever it was built with
    int status; // a CSPT_STATUS: the first failure; it has been told
} cspt_discovery;

// A folder that CTest knows, a googletest program, or any other program. With arguments; a folder takes none.
void cspt_discover(cspt_discovery *d, char *const *words, size_t n);

// Keeps the tests whose names match the extended regular expression. False: it is none, which has been told.
bool cspt_discover_filter(cspt_discovery *d, const char *expression);

// --- between the files of discovery ---------------------------------------------------------------------------------------
cspt_target *cspt_discover_add(cspt_discovery *d);
// Adds the command, or the tests inside it when it is a googletest program; `like` has name, folder, environment...
void cspt_discover_program(cspt_discovery *d, const cspt_target *like);
void cspt_discover_ctest(cspt_discovery *d, const char *folder);
// The names in what --gtest_list_tests prints: "Suite.Test"; none when it is something else. text is taken apart.
cspt_argv cspt_googletest_names(char *text);
// The tests in what `ctest --show-only=json-v1` prints. False: it is something else.
bool cspt_ctest_tests(cspt_discovery *d, const char *json, size_t size);

#endif

// ddmin.h - of a set of things that bring something about together, a part that still does and of which nothing can be spared.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_DDMIN_H
#define CSP_TOOLS_DDMIN_H

#include <stdbool.h>
#include <stddef.h>

// Whether it still comes about with those of the n things for which keep is true.
typedef bool cspt_ddmin_test(const bool *keep, size_t n, void *arg);

// Sets keep: the test says true of it, and false of it without any single one (unless it was stopped). Not called for all n:
// that they bring it about is known. *stop, if it becomes true during a test, ends the search with the best so far; NULL: none.
void cspt_ddmin(bool *keep, size_t n, cspt_ddmin_test *test, void *arg, const volatile bool *stop);

#endif

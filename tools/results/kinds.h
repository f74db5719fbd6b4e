// kinds.h - what the kinds of findings mean, for formats that describe their rules.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_KINDS_H
#define CSP_TOOLS_KINDS_H

typedef struct cspt_kind {
    const char *kind;    // as findings have it: "data race"
    const char *summary; // a sentence
    const char *help;    // what to do about it
} cspt_kind;

// Never NULL: a kind that is not in the table is described by its name alone.
const cspt_kind *cspt_kind_find(const char *kind);

// What tools call it for ever: "data-race". To be freed.
char *cspt_kind_id(const char *kind);

#endif

// labels.h - key-value labels of a coroutine: immutable sets, counted.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ordering:  E1 unref: acquire-release of refs -> the last unref; carries that the others have read what they wanted
#ifndef CSP_RUNTIME_LABELS_H
#define CSP_RUNTIME_LABELS_H

#include "hooks.h"

typedef struct cspi_labels cspi_labels;

// NULL is the empty set.
cspi_labels *cspi_labels_ref(cspi_labels *l);
void cspi_labels_unref(cspi_labels *l);
const csp_label_view *cspi_labels_items(const cspi_labels *l, size_t *n);

#endif

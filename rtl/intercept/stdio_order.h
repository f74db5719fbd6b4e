// stdio_order.h - streams pass order as their descriptors do (fd.h).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_STDIO_ORDER_H
#define CSP_RTL_STDIO_ORDER_H

#include <stdio.h>

// Before output, after input. NULL, and streams without a descriptor: nothing. Preserve errno.
void cspr_stream_gives(FILE *f);
void cspr_stream_took(FILE *f);
void cspr_descriptor_gives(int fd);

#endif

// io.h - the program's buffers in calls that may be given bad ones: what the kernel really wrote.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_IO_H
#define CSP_RTL_IO_H

#include "rtl.h"

#include <sys/socket.h>

// Copies from an address that may be bad: the kernel says so, where a plain read would end the program.
bool cspr_copy_safely(void *to, const void *from, size_t size);

// Where a call is to put a peer's address, and how much room there is: noted before the call, which overwrites the
// size.
typedef struct cspr_address_out {
    struct sockaddr *address;
    socklen_t *size;
    socklen_t room;
} cspr_address_out;
cspr_address_out cspr_address_out_of(struct sockaddr *address, socklen_t *size);
void cspr_address_out_written(const cspr_address_out *a, cspr_stack stack); // after success

#endif

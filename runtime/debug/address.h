// address.h - "host:port" as the debug endpoint takes it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_DEBUG_ADDRESS_H
#define CSP_RUNTIME_DEBUG_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

// False: not of the form (csp/debug.h). Numeric hosts and localhost only: nothing is looked up.
bool cspi_debug_address(const char *text, struct sockaddr_storage *address);
bool cspi_debug_is_loopback(const struct sockaddr_storage *address);

#ifdef __cplusplus
}
#endif
#endif

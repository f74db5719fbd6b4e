// address_fuzz.c - libFuzzer: what the debug endpoint takes for "host:port", whatever it is given.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "debug/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1); // its end is guarded
    struct sockaddr_storage address;
    memcpy(text, data, n);
    text[n] = '\0';
    if (cspi_debug_address(text, &address)) {
        // Only numeric IPv4 in 127/8, localhost or nothing, and ::1 are loopback.
        if (!strchr(text, ':') || (address.ss_family != AF_INET && address.ss_family != AF_INET6))
            abort();
        if (cspi_debug_is_loopback(&address) && strncmp(text, "127.", 4) != 0 && strncmp(text, "localhost:", 10) != 0 &&
            text[0] != ':' && text[0] != '[')
            abort();
    }
    free(text);
    return 0;
}

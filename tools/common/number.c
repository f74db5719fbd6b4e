// number.c - numbers in text that somebody else wrote.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "common/number.h"

#include <errno.h>
#include <stdlib.h>

bool cspt_take_number(const char **at, uint64_t max, uint64_t *out)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return !errno && *out <= max;
}

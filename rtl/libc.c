// libc.c - finds the real libc functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "libc.h"

#include <dlfcn.h>

#define REAL(ret, name, params) ret(*cspr_real_##name) params;
#include "intercept.inc"

void *cspr_find_real(const char *name, const char *version)
{
    void *p = version ? dlvsym(RTLD_NEXT, name, version) : NULL;
    return p ? p : dlsym(RTLD_NEXT, name);
}

void cspr_intercept_init(void)
{
#define REAL(ret, name, params) cspr_real_##name = (ret(*) params)cspr_find_real(#name, NULL);
#define REAL_VERSION(ret, name, params, version) cspr_real_##name = (ret(*) params)cspr_find_real(#name, version);
#include "intercept.inc"
}

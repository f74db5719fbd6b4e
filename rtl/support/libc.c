// libc.c - finds the real libc functions, and where libc's code lies.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE // dl_iterate_phdr
#include "support/libc.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

#define REAL(ret, name, params) ret(*cspr_real_##name) params;
#include "intercept/intercept.inc"

void *cspr_find_real(const char *name, const char *version)
{
    void *p = version ? dlvsym(RTLD_NEXT, name, version) : NULL;
    return p ? p : dlsym(RTLD_NEXT, name);
}

cspr_code cspr_libc_code, cspr_loader_code;

static void note_code(const struct dl_phdr_info *info, const ElfW(Phdr) * segment)
{
    uintptr_t lo = info->dlpi_addr + segment->p_vaddr;
    if ((uintptr_t)cspr_real_exit - lo < segment->p_memsz)
        cspr_libc_code = (cspr_code){lo, segment->p_memsz};
    else if (info->dlpi_addr == getauxval(AT_BASE))
        cspr_loader_code = (cspr_code){lo, segment->p_memsz};
}

static int look_at_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size, (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X))
            note_code(info, &info->dlpi_phdr[i]);
    return 0;
}

void cspr_intercept_init(void)
{
#define REAL(ret, name, params) cspr_real_##name = (ret(*) params)cspr_find_real(#name, NULL);
#define REAL_VERSION(ret, name, params, version) cspr_real_##name = (ret(*) params)cspr_find_real(#name, version);
#include "intercept/intercept.inc"
    dl_iterate_phdr(look_at_module, NULL);
}

// parts.c - where the parts of cspthread lie: found from the running program's own place, built or installed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "common/parts.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"

#define MAJOR_STRING_(x) #x
#define MAJOR_STRING(x) MAJOR_STRING_(x)

// Cuts the last component off an absolute path, in place; of "/" nothing can be cut.
static void cut_last(char *path)
{
    char *slash = strrchr(path, '/');
    slash[slash == path] = 0;
}

void cspt_parts_find(cspt_parts *parts)
{
    char self[PATH_MAX];
    // Symbolic links are resolved by the kernel: csp++ may be one, and so may ~/bin/cspcc.
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        cspt_fatal("cannot find out where this program lies: /proc/self/exe: %s", strerror(errno));
    self[n] = 0;
    cut_last(self);
    parts->bin = cspt_format("%s", self);
    cut_last(self);
    parts->root = cspt_format("%s", self);
    parts->include = cspt_format("%s/include", self);
    parts->lib = cspt_format("%s/lib/cspthread", self);
    parts->runtime = cspt_format("%s/libcsp.a", parts->lib);
    parts->detector = cspt_format("%s/libclang_rt.cspthread-x86_64.a", parts->lib);
    parts->exported = cspt_format("%s.syms", parts->detector);
    parts->plugin = cspt_format("%s/csp-plugin-" MAJOR_STRING(CSP_LLVM_MAJOR) ".so", parts->lib);
}

void cspt_parts_require(const char *path)
{
    if (access(path, R_OK) == 0)
        return;
    cspt_error("%s: %s", path, strerror(errno));
    cspt_note("a part of cspthread is missing: build it with `tools/dev.sh build`, or install cspthread again "
              "(`cmake --install build --prefix <folder>`)");
    cspt_fatal("cannot go on without it");
}

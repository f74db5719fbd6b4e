// program.c - what an executable file is, found without running it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The detector is part of every executable that was linked with -fsanitize=cspthread, and what it says of unknown options is
// among its strings, also in a stripped one. googletest's are likewise in programs it is linked into; those that have it as
// a shared object name that.
#include "explore/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/argv.h"

static int check_executable(const char *path)
{
    struct stat s;
    if (stat(path, &s) < 0)
        return errno;
    if (S_ISDIR(s.st_mode))
        return EISDIR;
    return access(path, X_OK) < 0 ? errno : 0;
}

static char *search_path(const char *name, int *error)
{
    const char *path = getenv("PATH");
    *error = ENOENT;
    for (const char *p = path ? path : "/usr/local/bin:/usr/bin:/bin"; p;) {
        const char *end = strchrnul(p, ':');
        char *candidate = cspt_format("%.*s/%s", end == p ? 1 : (int)(end - p), end == p ? "." : p, name);
        int failure = check_executable(candidate);
        if (!failure)
            return candidate;
        free(candidate);
        if (failure == EACCES)
            *error = failure;
        p = *end ? end + 1 : NULL;
    }
    return NULL;
}

static void look_inside(cspt_program *p)
{
    static const char detector[] = "(CSPTHREAD_OPTIONS=help=1 lists them)", googletest[] = "gtest_list_tests",
                      its_library[] = "libgtest.so";
    struct stat s;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &s) < 0 || !S_ISREG(s.st_mode) || s.st_size < SELFMAG) {
        if (fd >= 0)
            close(fd);
        return;
    }
    size_t size = (size_t)s.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return;
    if (memcmp(bytes, ELFMAG, SELFMAG) == 0) {
        p->is_checked = memmem(bytes, size, detector, sizeof detector - 1) != NULL;
        p->is_googletest = memmem(bytes, size, googletest, sizeof googletest - 1) ||
                           memmem(bytes, size, its_library, sizeof its_library - 1);
    }
    munmap(bytes, size);
}

void cspt_program_look(cspt_program *out, const char *name, const char *directory)
{
    *out = (cspt_program){0};
    if (!*name) {
        out->error = ENOENT;
    } else if (!strchr(name, '/')) {
        out->path = search_path(name, &out->error);
    } else {
        char *path = directory && *name != '/' ? cspt_format("%s/%s", directory, name) : cspt_format("%s", name);
        out->error = check_executable(path);
        if (out->error)
            free(path);
        else
            out->path = path;
    }
    if (out->path)
        look_inside(out);
}

void cspt_program_fini(cspt_program *p)
{
    free(p->path);
    *p = (cspt_program){0};
}

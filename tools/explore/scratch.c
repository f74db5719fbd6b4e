// scratch.c - a folder for what runs write, gone when csp ends.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Below TMPDIR, or where else there is room: some containers have no /tmp. Memory is tried first to last; which it is does not
// matter, as the files are small and short-lived.
#include "explore/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/argv.h"

static char *try_folder(const char *parent)
{
    if (!parent || !*parent)
        return NULL;
    char *here = *parent == '/' ? NULL : getcwd(NULL, 0);
    char *path = here ? cspt_format("%s/%s/csp-test.XXXXXX", here, parent) : cspt_format("%s/csp-test.XXXXXX", parent);
    free(here);
    if (mkdtemp(path))
        return path;
    int error = errno;
    free(path);
    errno = error;
    return NULL;
}

char *cspt_scratch_make(const char *preferred)
{
    const char *const parents[] = {preferred, getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm", "."};
    for (unsigned i = 0; i < sizeof parents / sizeof *parents; i++) {
        char *path = try_folder(parents[i]);
        if (path)
            return path;
    }
    return NULL;
}

void cspt_scratch_remove(const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (entry->d_name[0] == '.' && (!entry->d_name[1] || (entry->d_name[1] == '.' && !entry->d_name[2])))
            continue;
        char *path = cspt_format("%s/%s", folder, entry->d_name);
        unlink(path);
        free(path);
    }
    if (d)
        closedir(d);
    rmdir(folder);
}

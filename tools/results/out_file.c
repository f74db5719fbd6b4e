// out_file.c - writes a file as a whole: whoever looks sees the old one or the new one, never a half.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/argv.h"

static bool fail(const char *path, char **error)
{
    *error = cspt_format("%s: %s", path, strerror(errno));
    return false;
}

static bool put(FILE *out, const char *text)
{
    size_t size = strlen(text);
    return fwrite(text, 1, size, out) == size && (size && text[size - 1] == '\n' ? true : putc('\n', out) != EOF) &&
           fflush(out) == 0;
}

// True when the path is there and no regular file: nothing that could be renamed over.
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static bool write_through(const char *path, const char *text, char **error)
{
    FILE *out = fopen(path, "we");
    if (!out)
        return fail(path, error);
    bool done = put(out, text);
    return (fclose(out) == 0 && done) || fail(path, error);
}

bool cspt_out_file_write(const char *path, const char *text, char **error)
{
    if (strcmp(path, "-") == 0)
        return put(stdout, text) || fail("standard output", error);
    if (is_special(path))
        return write_through(path, text, error);
    char *beside = cspt_format("%s.%ld.tmp", path, (long)getpid());
    FILE *out = fopen(beside, "wxe");
    bool done = out && put(out, text);
    done = out && fclose(out) == 0 && done && rename(beside, path) == 0;
    if (!done) {
        fail(path, error);
        if (out)
            unlink(beside);
    }
    free(beside);
    return done;
}

bool cspt_out_file_check(const char *path, char **error)
{
    if (strcmp(path, "-") == 0)
        return true;
    char *copy = cspt_format("%s", path);
    bool there = access(path, F_OK) == 0;
    struct stat st;
    bool good = there ? access(path, W_OK) == 0 : access(dirname(copy), W_OK | X_OK) == 0;
    if (good && there && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        good = false;
    }
    free(copy);
    return good || fail(path, error);
}

// source.c - reads source files once and keeps their lines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/message.h"
#include "common/text.h"

typedef struct file {
    struct file *next;
    char *path;
    cspt_text text; // lines end in NUL
    char **lines;
    size_t n_lines;
} file;

static file *files;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void split(file *f)
{
    size_t capacity = 0;
    for (char *at = f->text.bytes, *end = at + f->text.size; at && at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at)), *next = stop ? stop + 1 : end;
        if (!stop)
            stop = end;
        while (stop > at && is_blank(stop[-1]))
            stop--;
        *stop = 0;
        while (is_blank(*at))
            at++;
        if (f->n_lines == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            char **lines = reallocarray(f->lines, capacity, sizeof *lines);
            if (!lines)
                cspt_fatal("out of memory");
            f->lines = lines;
        }
        f->lines[f->n_lines++] = at;
        at = next;
    }
}

static file *read_file(const char *path)
{
    file *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path)))
        cspt_fatal("out of memory");
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO would keep us waiting
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && cspt_text_read_fd(&f->text, fd))
        split(f);
    if (fd >= 0)
        close(fd);
    f->next = files;
    files = f;
    return f;
}

const char *cspt_source_line(const char *path, unsigned line)
{
    file *f = files;
    while (f && strcmp(f->path, path) != 0)
        f = f->next;
    if (!f)
        f = read_file(path);
    return line && line <= f->n_lines ? f->lines[line - 1] : NULL;
}

void cspt_source_forget(void)
{
    for (file *next; files; files = next) {
        next = files->next;
        cspt_text_fini(&files->text);
        free(files->lines);
        free(files->path);
        free(files);
    }
}

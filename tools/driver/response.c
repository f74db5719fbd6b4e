// response.c - response files (@file) on a compiler command line: read as clang reads them, written when exec needs
// one. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Clang's rules (GNU tokenizer): blanks separate; a backslash takes the next character as it is, inside quotes of
// either kind too; adjacent quoted and unquoted parts are one word; an @file that cannot be read stands for itself; a
// nested
// @file is relative to the working directory.
#include "driver/response.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/message.h"
#include "common/text.h"

enum { MAX_DEPTH = 20 }; // a file that names itself: clang ends with an error, we leave the name for it to see

static bool read_file(cspt_text *out, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = cspt_text_read_fd(out, fd);
    close(fd);
    if (!ok)
        cspt_text_fini(out);
    return ok;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0;
}

// Splits in place: a word is never longer than its source text. The words live as long as the process.
static void tokenize(cspt_argv *words, char *p, char *end)
{
    if (end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3; // UTF-8 byte order mark
    while (p < end) {
        if (is_blank(*p)) {
            p++;
            continue;
        }
        char *word = p, *to = p, quote = 0;
        for (; p < end && (quote || !is_blank(*p)); p++) {
            if (*p == '\\' && p + 1 < end)
                *to++ = *++p;
            else if (quote ? *p == quote : *p == '"' || *p == '\'')
                quote = quote ? 0 : *p;
            else
                *to++ = *p;
        }
        p++; // the blank, or past the end: `to` may now overwrite it
        *to = 0;
        if (*word) // clang drops "" too
            cspt_argv_push(words, word);
    }
}

static void expand_one(cspt_argv *out, const char *arg, int depth)
{
    cspt_text file = {0}; // stays: the words point into it
    if (arg[0] != '@' || depth == MAX_DEPTH || !read_file(&file, arg + 1)) {
        cspt_argv_push(out, arg);
        return;
    }
    cspt_argv words = {0};
    tokenize(&words, file.bytes, file.bytes + file.size);
    for (size_t i = 0; i < words.count; i++)
        expand_one(out, words.items[i], depth + 1);
    cspt_argv_fini(&words);
}

void cspt_response_expand(cspt_argv *out, const char *const *args, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expand_one(out, args[i], 0);
}

static size_t size_for_exec(const cspt_argv *v)
{
    size_t size = 0;
    for (size_t i = 0; i < v->count; i++)
        size += strlen(v->items[i]) + 1 + sizeof(char *);
    return size;
}

static void append_quoted(cspt_text *out, const char *arg)
{
    cspt_text_append(out, "\"", 1);
    for (const char *p = arg; *p; p++) {
        if (*p == '"' || *p == '\\')
            cspt_text_append(out, "\\", 1);
        cspt_text_append(out, p, 1);
    }
    cspt_text_append(out, "\"\n", 2);
}

void cspt_response_shrink(cspt_argv *v, size_t keep)
{
    long limit = sysconf(_SC_ARG_MAX);
    // Half: the environment counts as well, and clang starts its own stages with longer command lines than its own.
    if (size_for_exec(v) < (size_t)(limit > 0 ? limit : 131072) / 2)
        return;
    cspt_text words = {0};
    for (size_t i = keep; i < v->count; i++)
        append_quoted(&words, v->items[i]);
    int fd = memfd_create("cspcc-arguments", 0); // no close-on-exec: clang reads it through /proc/self/fd
    if (fd < 0)
        cspt_fatal("cannot make a response file: %s", strerror(errno));
    for (size_t done = 0; done < words.size;) {
        ssize_t n = write(fd, words.bytes + done, words.size - done);
        if (n < 0)
            cspt_fatal("cannot write a response file: %s", strerror(errno));
        done += (size_t)n;
    }
    cspt_text_fini(&words);
    v->count = keep;
    cspt_argv_push(v, cspt_format("@/proc/self/fd/%d", fd));
}

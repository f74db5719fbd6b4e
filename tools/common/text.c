// text.c - a growing string.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"

void cspt_text_append(cspt_text *text, const char *bytes, size_t size)
{
    if (text->size + size + 1 > text->capacity) {
        size_t capacity = 2 * text->capacity + size + 256;
        char *grown = realloc(text->bytes, capacity);
        if (!grown)
            cspt_fatal("out of memory");
        text->bytes = grown;
        text->capacity = capacity;
    }
    if (size)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = 0;
}

void cspt_text_fini(cspt_text *text)
{
    free(text->bytes);
    *text = (cspt_text){0};
}

bool cspt_text_read_fd(cspt_text *text, int fd)
{
    char buffer[16384];
    cspt_text_append(text, "", 0);
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n > 0)
            cspt_text_append(text, buffer, (size_t)n);
        else if (n == 0)
            return true;
        else if (errno != EINTR)
            return false;
    }
}

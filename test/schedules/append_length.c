// append_length.c - a text is appended to another: its length is asked for, then so many bytes are copied.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: each method locks, but the text is cut between the two.
// Order: the length is read, the text is cut, the copy is too long.
// Depth: 2. Shows as: crash.
// Source: StringBuffer.append of the JDK 1.4: Flanagan and Qadeer, PLDI 2003; SCTBench stringbuffer-jdk1.4.
#include <csp/csp.h>

#include <assert.h>
#include <string.h>

typedef struct text {
    csp_mutex lock;
    size_t length;
    char bytes[16];
} text;

static text source = {.length = 3, .bytes = "abc"}, target;
static csp_wg both;

static size_t length_of(text *t)
{
    csp_mutex_lock(&t->lock);
    size_t length = t->length;
    csp_mutex_unlock(&t->lock);
    return length;
}

// Copies at most n bytes, and returns how many.
static size_t copy(text *t, char *to, size_t n)
{
    csp_mutex_lock(&t->lock);
#ifdef FIXED
    if (n > t->length)
        n = t->length;
#endif
    assert(n <= t->length);
    memcpy(to, t->bytes, n);
    csp_mutex_unlock(&t->lock);
    return n;
}

static void append(void *arg)
{
    (void)arg;
    size_t n = length_of(&source);
    target.length += copy(&source, target.bytes + target.length, n);
    csp_wg_done(&both);
}

static void cut(void *arg)
{
    (void)arg;
    csp_mutex_lock(&source.lock);
    source.length = 0;
    csp_mutex_unlock(&source.lock);
    csp_wg_done(&both);
}

int main(void)
{
    csp_wg_add(&both, 2);
    csp_go(cut, NULL);
    csp_go(append, NULL);
    csp_wg_wait(&both);
    return 0;
}

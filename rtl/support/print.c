// print.c - text for people without stdio: a growing buffer, a printf subset, and where the output goes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why: the program may be inside malloc or stdio when we have something to say (ground rule R1).
#include "support/print.h"

#include "rtl.h"
#include "support/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// A sink for formatted characters: counts what does not fit.
typedef struct sink {
    char *out;
    size_t cap, len;
} sink;

static void put(sink *s, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->len < s->cap)
            s->out[s->len] = bytes[i];
        s->len++;
    }
}

static void pad(sink *s, int n)
{
    while (n-- > 0)
        put(s, " ", 1);
}

static void put_number(sink *s, unsigned long long v, unsigned base, bool negative, int width)
{
    char digits[24];
    size_t n = sizeof digits;
    do
        digits[--n] = "0123456789abcdef"[v % base];
    while ((v /= base) != 0);
    if (negative)
        digits[--n] = '-';
    pad(s, width - (int)(sizeof digits - n));
    put(s, digits + n, sizeof digits - n);
}

static size_t length_within(const char *text, int limit)
{
    size_t n = 0;
    while ((limit < 0 || n < (size_t)limit) && text[n])
        n++;
    return n;
}

static void put_string(sink *s, const char *text, int limit, int width)
{
    size_t n = length_within(text ? text : "(null)", limit);
    pad(s, width - (int)n);
    put(s, text ? text : "(null)", n);
}

// One conversion, p after the '%'; returns what follows it.
static const char *convert(sink *s, const char *p, va_list *args)
{
    int width = 0, limit = -1, longs = 0;
    while (*p >= '0' && *p <= '9')
        width = width * 10 + (*p++ - '0');
    if (p[0] == '.' && p[1] == '*') {
        limit = va_arg(*args, int);
        p += 2;
    }
    for (; *p == 'l' || *p == 'z'; p++)
        longs++;
    switch (*p) {
    case 's':
        put_string(s, va_arg(*args, const char *), limit, width);
        break;
    case 'c': {
        char c = (char)va_arg(*args, int);
        put(s, &c, 1);
        break;
    }
    case 'd': {
        long long v = longs ? va_arg(*args, long) : va_arg(*args, int);
        put_number(s, v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v, 10, v < 0, width);
        break;
    }
    case 'u':
        put_number(s, longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned), 10, false, width);
        break;
    case 'x':
        put_number(s, longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned), 16, false, width);
        break;
    case 'p':
        put(s, "0x", 2);
        put_number(s, (uintptr_t)va_arg(*args, void *), 16, false, 0);
        break;
    default:
        put(s, p, 1);
        break; // "%%"
    }
    return p + 1;
}

static size_t format_into(char *out, size_t cap, const char *format, va_list args)
{
    sink s = {out, cap, 0};
    va_list copy;
    va_copy(copy, args);
    for (const char *p = format; *p;)
        if (*p == '%' && p[1]) {
            p = convert(&s, p + 1, &copy);
        } else {
            put(&s, p++, 1);
        }
    va_end(copy);
    return s.len;
}

size_t cspr_format(char *out, size_t cap, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t n = format_into(out, cap - 1, format, args);
    va_end(args);
    if (n > cap - 1)
        n = cap - 1;
    out[n] = 0;
    return n;
}

static void grow(cspr_text *t, size_t need)
{
    size_t cap = t->cap ? t->cap : 16384;
    while (cap < need)
        cap *= 2;
    if (cap == t->cap)
        return;
    char *data = cspr_map(cap);
    memcpy(data, t->data ? t->data : "", t->len);
    cspr_text_fini(t);
    t->data = data;
    t->cap = cap;
}

void cspr_text_addv(cspr_text *t, const char *format, va_list args)
{
    size_t n = format_into(t->data ? t->data + t->len : NULL, t->cap - t->len, format, args);
    if (t->len + n > t->cap) {
        size_t len = t->len;
        grow(t, len + n);
        t->len = len;
        format_into(t->data + len, n, format, args);
    }
    t->len += n;
}

void cspr_text_add(cspr_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cspr_text_addv(t, format, args);
    va_end(args);
}

void cspr_text_bytes(cspr_text *t, const char *bytes, size_t n)
{
    size_t len = t->len;
    grow(t, len + n);
    memcpy(t->data + len, bytes, n);
    t->len = len + n;
}

void cspr_text_fini(cspr_text *t)
{
    if (t->data)
        cspr_unmap(t->data, t->cap);
    t->data = NULL;
    t->cap = 0;
}

int cspr_cancel_off(void)
{
    int before = PTHREAD_CANCEL_ENABLE;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void cspr_cancel_on(int before)
{
    int unused;
    pthread_setcancelstate(before, &unused);
}

void *cspr_map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        cspr_die("out of memory: mmap of %zu bytes failed", size);
    return p;
}

static cspr_lock keep_lock;

void cspr_keep_fork_lock(bool take)
{
    cspr_lock_for_fork(&keep_lock, take);
}

char *cspr_keep(const char *text, size_t n)
{
    enum { CHUNK = 16384 };
    static char *room;
    static size_t left;
    cspr_lock_acquire(&keep_lock);
    if (n >= left) {
        left = n >= CHUNK ? n + 1 : CHUNK;
        room = cspr_map(left);
    }
    char *copy = room;
    room += n + 1;
    left -= n + 1;
    cspr_lock_release(&keep_lock);
    memcpy(copy, text, n); // zero-terminated by the mapping
    return copy;
}

void cspr_unmap(void *p, size_t size)
{
    munmap(p, size);
}

static char *read_file(const char *path, size_t *len, size_t *map_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    size_t cap = 65536, n = 0;
    char *data = cspr_map(cap);
    for (;;) {
        ssize_t got = read(fd, data + n, cap - 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int why = errno;
            cspr_unmap(data, cap);
            close(fd);
            errno = why;
            return NULL;
        }
        if (got == 0)
            break;
        n += (size_t)got;
        if (n < cap - 1)
            continue;
        char *bigger = cspr_map(cap * 2);
        memcpy(bigger, data, n);
        cspr_unmap(data, cap);
        data = bigger;
        cap *= 2;
    }
    close(fd);
    data[n] = 0;
    *len = n;
    *map_size = cap;
    return data;
}

uintptr_t cspr_read_hex(const char **p)
{
    uintptr_t v = 0;
    for (;; (*p)++) {
        if (**p >= '0' && **p <= '9')
            v = v * 16 + (uintptr_t)(**p - '0');
        else if (**p >= 'a' && **p <= 'f')
            v = v * 16 + (uintptr_t)(**p - 'a' + 10);
        else
            return v;
    }
}

char *cspr_read_file(const char *path, size_t *len, size_t *map_size)
{
    int cancel = cspr_cancel_off();
    char *data = read_file(path, len, map_size);
    cspr_cancel_on(cancel);
    return data;
}

static void write_all(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        bytes += done;
        n -= (size_t)done;
    }
}

// The log file of this process: fd and the pid it was opened for, so that a forked child opens its own.
static _Atomic long log_file; // pid << 32 | fd + 1; 0: none

static int open_log(const char *path)
{
    char name[4096];
    cspr_format(name, sizeof name, "%s.%d", path, (int)getpid());
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, 100); // out of the way of programs that count on small numbers
        if (high >= 0) {
            close(fd);
            fd = high;
        }
        return fd;
    }
    char line[4200];
    size_t n = cspr_format(line, sizeof line, "CspThreadSanitizer: cannot write log_path %s: error %d; using stderr\n",
                           name, errno);
    write_all(2, line, n);
    return 2;
}

static int find_log(void)
{
    const char *path = cspr_flags.log_path;
    if (!path || !*path || !strcmp(path, "stderr"))
        return 2;
    if (!strcmp(path, "stdout"))
        return 1;
    // relaxed: the word holds all there is to know; opening twice in a race only leaves a spare descriptor
    long now = atomic_load_explicit(&log_file, memory_order_relaxed);
    if (now && now >> 32 == getpid())
        return (int)(now & 0xffffffff) - 1;
    int fd = open_log(path);
    atomic_store_explicit(&log_file, (long)getpid() << 32 | (fd + 1), memory_order_relaxed); // relaxed: as above
    return fd;
}

void cspr_print_to(const char *path)
{
    cspr_flags.log_path = cspr_keep(path, strlen(path));
    atomic_store_explicit(&log_file, 0, memory_order_relaxed); // relaxed: as above
}

void cspr_print_to_fd(int fd)
{
    cspr_flags.log_path = "a descriptor";
    atomic_store_explicit(&log_file, (long)getpid() << 32 | (fd + 1), memory_order_relaxed); // relaxed: as above
}

void cspr_print(const char *bytes, size_t n)
{
    int saved = errno;
    int cancel = cspr_cancel_off();
    cspr_enter(); // what we write gives no order
    write_all(find_log(), bytes, n);
    cspr_leave();
    cspr_cancel_on(cancel);
    errno = saved;
}

void cspr_print_err(const char *bytes, size_t n)
{
    int saved = errno, cancel = cspr_cancel_off();
    cspr_enter();
    write_all(2, bytes, n);
    cspr_leave();
    cspr_cancel_on(cancel);
    errno = saved;
}

bool cspr_print_colored(void)
{
    const char *color = cspr_flags.color;
    if (color && !strcmp(color, "always"))
        return true;
    if (color && !strcmp(color, "never"))
        return false;
    int saved = errno;
    bool terminal = isatty(find_log());
    errno = saved;
    return terminal;
}

static void note_line(const char *format, va_list args)
{
    char line[2048];
    size_t head = cspr_format(line, sizeof line, "CspThreadSanitizer: ");
    size_t n = head + format_into(line + head, sizeof line - head - 1, format, args);
    if (n > sizeof line - 1)
        n = sizeof line - 1;
    line[n] = '\n';
    cspr_print(line, n + 1);
}

void cspr_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note_line(format, args);
    va_end(args);
}

void cspr_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note_line(format, args);
    va_end(args);
    cspr_last_words();
    _exit(cspr_flags.exitcode ? cspr_flags.exitcode : 66);
}

// intercept_format.c - printf and scanf and their kin: the strings they read, what they write through their arguments.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The format is walked twice: here for the accesses, by libc for the work. A format with numbered arguments (%1$s), or with a
// conversion that is not known here, is left alone from there on.
// Order: what goes to a stream is given to its descriptor, what comes from it is taken from there (intercept_stdio.c).
#include "intercept/stdio_order.h"
#include "support/libc.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>
#include <wchar.h>

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

static void check(const void *p, size_t n, bool is_write, cspr_stack stack)
{
    int saved = errno;
    if (p && n)
        cspr_access((uintptr_t)p, n, is_write, stack);
    errno = saved;
}

// --- one conversion ----------------------------------------------------------------------------------------------------------

typedef struct conversion {
    int width, precision; // -1: none
    bool width_is_argument, precision_is_argument;
    bool skipped;   // scanf's *
    bool allocates; // scanf's m
    char length;    // 'H' hh, 'h', 'l', 'q' ll, 'j', 'z', 't', 'L', 0
    char kind;      // 0: not known
} conversion;

static const char *read_number(const char *p, int *out)
{
    int v = 0;
    while (*p >= '0' && *p <= '9' && v < INT_MAX / 16)
        v = v * 10 + (*p++ - '0');
    *out = v;
    return p;
}

static const char *read_length(const char *p, char *out)
{
    *out = 0;
    if (p[0] == p[1] && (*p == 'h' || *p == 'l')) {
        *out = *p == 'h' ? 'H' : 'q';
        return p + 2;
    }
    if (*p && strchr("hljztLq", *p))
        *out = *p++;
    return p;
}

// p is after the '%'; returns what follows the conversion.
static const char *read_printf(const char *p, conversion *c)
{
    *c = (conversion){.width = -1, .precision = -1};
    while (*p && strchr("-+ #0'I", *p))
        p++;
    if (*p == '*') {
        c->width_is_argument = true;
        p++;
    } else {
        p = read_number(p, &c->width);
    }
    if (*p == '.') {
        p++;
        c->precision_is_argument = *p == '*';
        p = c->precision_is_argument ? p + 1 : read_number(p, &c->precision);
    }
    p = read_length(p, &c->length);
    c->kind = *p && strchr("diouxXcaAeEfFgGsSpnmC%", *p) ? *p : 0;
    return p + (*p != 0);
}

// --- printf's arguments --------------------------------------------------------------------------------------------------------

static size_t size_of_length(char length)
{
    switch (length) {
    case 'H':
        return 1;
    case 'h':
        return 2;
    case 0:
        return 4;
    default:
        return 8;
    }
}

static void check_string(const char *s, int precision, cspr_stack stack)
{
    if (!s)
        return;
    size_t n = precision >= 0 ? strnlen(s, (size_t)precision) : strlen(s);
    check(s, precision >= 0 && n == (size_t)precision ? n : n + 1, false, stack);
}

// Takes one argument off; what it points to is checked: read when before is set (%s), written else (%n).
static void check_argument(const conversion *c, int precision, va_list *args, bool before, cspr_stack stack)
{
    switch (c->kind) {
    case 's':
    case 'S': {
        const char *s = va_arg(*args, const char *);
        if (before && c->kind == 's' && c->length != 'l')
            check_string(s, precision, stack);
        break;
    }
    case 'n': {
        void *p = va_arg(*args, void *);
        if (!before)
            check(p, size_of_length(c->length), true, stack);
        break;
    }
    case 'p':
        (void)va_arg(*args, void *);
        break;
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        if (c->length == 'L' || c->length == 'q')
            (void)va_arg(*args, long double);
        else
            (void)va_arg(*args, double);
        break;
    case '%':
    case 'm':
        break;
    default:
        if (size_of_length(c->length) == 8)
            (void)va_arg(*args, long);
        else
            (void)va_arg(*args, int);
        break;
    }
}

static void check_printf(const char *format, va_list from, bool before, cspr_stack stack)
{
    va_list args;
    if (before)
        check_string(format, -1, stack);
    va_copy(args, from);
    for (const char *p = strchr(format, '%'); p; p = strchr(p, '%')) {
        conversion c;
        p = read_printf(p + 1, &c);
        if (!c.kind)
            break;
        if (c.width_is_argument)
            (void)va_arg(args, int);
        int precision = c.precision_is_argument ? va_arg(args, int) : c.precision;
        check_argument(&c, precision, &args, before, stack);
    }
    va_end(args);
}

// --- scanf's arguments ---------------------------------------------------------------------------------------------------------

// p is after the '%'; [sets] are skipped, kind is then '['.
static const char *read_scanf(const char *p, conversion *c)
{
    *c = (conversion){.width = -1};
    if (*p == '*') {
        c->skipped = true;
        p++;
    }
    if (*p >= '0' && *p <= '9')
        p = read_number(p, &c->width);
    if (*p == 'm') {
        c->allocates = true;
        p++;
    }
    p = read_length(p, &c->length);
    c->kind = *p && strchr("diouxXcaAeEfFgGsSpnC[%", *p) ? *p : 0;
    if (*p == '[') {
        p += 1 + (p[1] == '^');
        p += *p == ']'; // the first character of a set may be its end
        while (*p && *p != ']')
            p++;
    }
    return p + (*p != 0);
}

static size_t scanned_bytes(const conversion *c, const void *p)
{
    switch (c->kind) {
    case 's':
    case '[':
        return c->length == 'l' ? (wcslen(p) + 1) * sizeof(wchar_t) : strlen(p) + 1;
    case 'S':
        return (wcslen(p) + 1) * sizeof(wchar_t);
    case 'c':
        return (size_t)(c->width > 0 ? c->width : 1) * (c->length == 'l' ? sizeof(wchar_t) : 1);
    case 'C':
        return (size_t)(c->width > 0 ? c->width : 1) * sizeof(wchar_t);
    case 'p':
        return sizeof(void *);
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        return c->length == 'L' || c->length == 'q' ? sizeof(long double)
               : c->length == 'l'                   ? sizeof(double)
                                                    : sizeof(float);
    default:
        return size_of_length(c->length);
    }
}

// What the first `n` conversions have stored.
static void check_scanf(const char *format, va_list from, int n, cspr_stack stack)
{
    va_list args;
    check_string(format, -1, stack);
    va_copy(args, from);
    for (const char *p = strchr(format, '%'); p; p = strchr(p, '%')) {
        conversion c;
        p = read_scanf(p + 1, &c);
        if (!c.kind)
            break;
        if (c.skipped || c.kind == '%')
            continue;
        if (c.kind != 'n' && n-- <= 0)
            break;
        void *to = va_arg(args, void *);
        check(to, c.allocates ? sizeof(void *) : scanned_bytes(&c, to), true, stack);
        if (c.allocates && to)
            check(*(void **)to, scanned_bytes(&c, *(void **)to), true, stack);
    }
    va_end(args);
}

// --- the functions with a va_list ------------------------------------------------------------------------------------------------

// real: the call; wrote: statements that check what it put where; stream: gets the order, NULL: none.
#define PRINTS(name, params, real, wrote, stream)                                                                      \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_vsnprintf) /* a library's constructor that ran before us */                                 \
                cspr_intercept_init();                                                                                 \
            return real;                                                                                               \
        }                                                                                                              \
        CSPR_FRAME();                                                                                                  \
        check_printf(format, args, true, CSPR_STACK());                                                                \
        cspr_stream_gives(stream);                                                                                     \
        int result = real;                                                                                             \
        if (result >= 0) {                                                                                             \
            wrote;                                                                                                     \
            if (strstr(format, "n"))                                                                                   \
                check_printf(format, args, false, CSPR_STACK());                                                       \
        }                                                                                                              \
        return result;                                                                                                 \
    }
#define WROTE(p, bytes) check(p, bytes, true, CSPR_STACK())
// Of result + 1 bytes those that had room.
#define IN_ROOM(room) ((size_t)result < (room) ? (size_t)result + 1 : (room))
PRINTS(vsprintf, (char *out, const char *format, va_list args), cspr_real_vsprintf(out, format, args),
       WROTE(out, (size_t)result + 1), NULL)
PRINTS(vsnprintf, (char *out, size_t room, const char *format, va_list args),
       cspr_real_vsnprintf(out, room, format, args), WROTE(out, IN_ROOM(room)), NULL)
PRINTS(vasprintf, (char **out, const char *format, va_list args), cspr_real_vasprintf(out, format, args),
       (WROTE(out, sizeof *out), WROTE(*out, (size_t)result + 1)), NULL)
PRINTS(vfprintf, (FILE * f, const char *format, va_list args), cspr_real_vfprintf(f, format, args), (void)0, f)
PRINTS(vprintf, (const char *format, va_list args), cspr_real_vfprintf(stdout, format, args), (void)0, stdout)
PRINTS(vdprintf, (int fd, const char *format, va_list args),
       (cspr_descriptor_gives(fd), cspr_real_vdprintf(fd, format, args)), (void)0, NULL)
// Fortified builds: libc's own checks are kept.
PRINTS(__vsprintf_chk, (char *out, int flag, size_t room, const char *format, va_list args),
       cspr_real___vsprintf_chk(out, flag, room, format, args), WROTE(out, (size_t)result + 1), NULL)
PRINTS(__vsnprintf_chk, (char *out, size_t n, int flag, size_t room, const char *format, va_list args),
       cspr_real___vsnprintf_chk(out, n, flag, room, format, args), WROTE(out, IN_ROOM(n)), NULL)
PRINTS(__vfprintf_chk, (FILE * f, int flag, const char *format, va_list args),
       cspr_real___vfprintf_chk(f, flag, format, args), (void)0, f)
PRINTS(__vprintf_chk, (int flag, const char *format, va_list args),
       cspr_real___vfprintf_chk(stdout, flag, format, args), (void)0, stdout)
PRINTS(__vasprintf_chk, (char **out, int flag, const char *format, va_list args),
       cspr_real___vasprintf_chk(out, flag, format, args), (WROTE(out, sizeof *out), WROTE(*out, (size_t)result + 1)),
       NULL)

PRINTS(__vdprintf_chk, (int fd, int flag, const char *format, va_list args),
       (cspr_descriptor_gives(fd), cspr_real___vdprintf_chk(fd, flag, format, args)), (void)0, NULL)

#define SCANS(name, params, real, read, stream)                                                                        \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_vsnprintf)                                                                                  \
                cspr_intercept_init();                                                                                 \
            return real;                                                                                               \
        }                                                                                                              \
        CSPR_FRAME();                                                                                                  \
        int result = real;                                                                                             \
        cspr_stream_took(stream);                                                                                      \
        read;                                                                                                          \
        check_scanf(format, args, result, CSPR_STACK());                                                               \
        return result;                                                                                                 \
    }
// libc's headers redirect the plain names to those of C99; each is defined under its symbol.
#define SCANF_LISTS(prefix, label)                                                                                     \
    CSPR_INTERCEPTOR int prefix##vsscanf_(const char *from, const char *format,                                        \
                                          va_list args) __asm__(label "vsscanf");                                      \
    CSPR_INTERCEPTOR int prefix##vfscanf_(FILE *f, const char *format, va_list args) __asm__(label "vfscanf");         \
    CSPR_INTERCEPTOR int prefix##vscanf_(const char *format, va_list args) __asm__(label "vscanf");                    \
    SCANS(prefix##vsscanf_, (const char *from, const char *format, va_list args),                                      \
          cspr_real_##prefix##vsscanf(from, format, args), check_string(from, -1, CSPR_STACK()), NULL)                 \
    SCANS(prefix##vfscanf_, (FILE * f, const char *format, va_list args),                                              \
          cspr_real_##prefix##vfscanf(f, format, args), (void)0, f)                                                    \
    SCANS(prefix##vscanf_, (const char *format, va_list args), cspr_real_##prefix##vfscanf(stdin, format, args),       \
          (void)0, stdin)
SCANF_LISTS(, "")
SCANF_LISTS(__isoc99_, "__isoc99_")

// --- those with the arguments themselves: the same, under their own name in stacks -------------------------------------------------

#define PRINTS_ARGUMENTS(name, params, real, wrote, stream)                                                            \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        int result;                                                                                                    \
        va_start(args, format);                                                                                        \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_vsnprintf)                                                                                  \
                cspr_intercept_init();                                                                                 \
            result = real;                                                                                             \
        } else {                                                                                                       \
            CSPR_FRAME();                                                                                              \
            check_printf(format, args, true, CSPR_STACK());                                                            \
            cspr_stream_gives(stream);                                                                                 \
            va_list again;                                                                                             \
            va_copy(again, args);                                                                                      \
            result = real;                                                                                             \
            if (result >= 0) {                                                                                         \
                wrote;                                                                                                 \
                if (strstr(format, "n"))                                                                               \
                    check_printf(format, again, false, CSPR_STACK());                                                  \
            }                                                                                                          \
            va_end(again);                                                                                             \
        }                                                                                                              \
        va_end(args);                                                                                                  \
        return result;                                                                                                 \
    }
PRINTS_ARGUMENTS(sprintf, (char *out, const char *format, ...), cspr_real_vsprintf(out, format, args),
                 WROTE(out, (size_t)result + 1), NULL)
PRINTS_ARGUMENTS(snprintf, (char *out, size_t room, const char *format, ...),
                 cspr_real_vsnprintf(out, room, format, args), WROTE(out, IN_ROOM(room)), NULL)
PRINTS_ARGUMENTS(asprintf, (char **out, const char *format, ...), cspr_real_vasprintf(out, format, args),
                 (WROTE(out, sizeof *out), WROTE(*out, (size_t)result + 1)), NULL)
PRINTS_ARGUMENTS(fprintf, (FILE * f, const char *format, ...), cspr_real_vfprintf(f, format, args), (void)0, f)
PRINTS_ARGUMENTS(printf, (const char *format, ...), cspr_real_vfprintf(stdout, format, args), (void)0, stdout)
PRINTS_ARGUMENTS(dprintf, (int fd, const char *format, ...),
                 (cspr_descriptor_gives(fd), cspr_real_vdprintf(fd, format, args)), (void)0, NULL)
PRINTS_ARGUMENTS(__sprintf_chk, (char *out, int flag, size_t room, const char *format, ...),
                 cspr_real___vsprintf_chk(out, flag, room, format, args), WROTE(out, (size_t)result + 1), NULL)
PRINTS_ARGUMENTS(__snprintf_chk, (char *out, size_t n, int flag, size_t room, const char *format, ...),
                 cspr_real___vsnprintf_chk(out, n, flag, room, format, args), WROTE(out, IN_ROOM(n)), NULL)
PRINTS_ARGUMENTS(__fprintf_chk, (FILE * f, int flag, const char *format, ...),
                 cspr_real___vfprintf_chk(f, flag, format, args), (void)0, f)
PRINTS_ARGUMENTS(__printf_chk, (int flag, const char *format, ...),
                 cspr_real___vfprintf_chk(stdout, flag, format, args), (void)0, stdout)
PRINTS_ARGUMENTS(__asprintf_chk, (char **out, int flag, const char *format, ...),
                 cspr_real___vasprintf_chk(out, flag, format, args),
                 (WROTE(out, sizeof *out), WROTE(*out, (size_t)result + 1)), NULL)

PRINTS_ARGUMENTS(__dprintf_chk, (int fd, int flag, const char *format, ...),
                 (cspr_descriptor_gives(fd), cspr_real___vdprintf_chk(fd, flag, format, args)), (void)0, NULL)

#define SCANS_ARGUMENTS(name, params, real, read, stream)                                                              \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        int result;                                                                                                    \
        va_start(args, format);                                                                                        \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_vsnprintf)                                                                                  \
                cspr_intercept_init();                                                                                 \
            result = real;                                                                                             \
        } else {                                                                                                       \
            CSPR_FRAME();                                                                                              \
            va_list again;                                                                                             \
            va_copy(again, args);                                                                                      \
            result = real;                                                                                             \
            cspr_stream_took(stream);                                                                                  \
            read;                                                                                                      \
            check_scanf(format, again, result, CSPR_STACK());                                                          \
            va_end(again);                                                                                             \
        }                                                                                                              \
        va_end(args);                                                                                                  \
        return result;                                                                                                 \
    }
#define SCANF_FAMILY(prefix, label)                                                                                    \
    CSPR_INTERCEPTOR int prefix##sscanf_(const char *from, const char *format, ...) __asm__(label "sscanf");           \
    CSPR_INTERCEPTOR int prefix##fscanf_(FILE *f, const char *format, ...) __asm__(label "fscanf");                    \
    CSPR_INTERCEPTOR int prefix##scanf_(const char *format, ...) __asm__(label "scanf");                               \
    SCANS_ARGUMENTS(prefix##sscanf_, (const char *from, const char *format, ...),                                      \
                    cspr_real_##prefix##vsscanf(from, format, args), check_string(from, -1, CSPR_STACK()), NULL)       \
    SCANS_ARGUMENTS(prefix##fscanf_, (FILE * f, const char *format, ...),                                              \
                    cspr_real_##prefix##vfscanf(f, format, args), (void)0, f)                                          \
    SCANS_ARGUMENTS(prefix##scanf_, (const char *format, ...), cspr_real_##prefix##vfscanf(stdin, format, args),       \
                    (void)0, stdin)
SCANF_FAMILY(, "")
SCANF_FAMILY(__isoc99_, "__isoc99_")

// --- messages: what they print of the caller's ----------------------------------------------------------------------------------

#define SAYS(name, prefix_params, prefix_args, attributes, end)                                                        \
    attributes CSPR_INTERCEPTOR void v##name(prefix_params const char *format, va_list args)                           \
    {                                                                                                                  \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_v##name)                                                                                    \
                cspr_intercept_init();                                                                                 \
        } else if (format) {                                                                                           \
            CSPR_FRAME();                                                                                              \
            check_printf(format, args, true, CSPR_STACK());                                                            \
        }                                                                                                              \
        cspr_real_v##name(prefix_args format, args);                                                                   \
        end;                                                                                                           \
    }                                                                                                                  \
    attributes CSPR_INTERCEPTOR void name(prefix_params const char *format, ...)                                       \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        va_start(args, format);                                                                                        \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_v##name)                                                                                    \
                cspr_intercept_init();                                                                                 \
        } else if (format) {                                                                                           \
            CSPR_FRAME();                                                                                              \
            check_printf(format, args, true, CSPR_STACK());                                                            \
        }                                                                                                              \
        cspr_real_v##name(prefix_args format, args);                                                                   \
        va_end(args);                                                                                                  \
        end;                                                                                                           \
    }
#define WITH_STATUS int status,
#define STATUS status,
#define WITH_LEVEL int level,
#define LEVEL level,
SAYS(warn, , , , (void)0)
SAYS(warnx, , , , (void)0)
SAYS(err, WITH_STATUS, STATUS, _Noreturn, __builtin_unreachable())
SAYS(errx, WITH_STATUS, STATUS, _Noreturn, __builtin_unreachable())
SAYS(syslog, WITH_LEVEL, LEVEL, , (void)0)

// --- wide: what they write ---------------------------------------------------------------------------------------------------------

CSPR_INTERCEPTOR int vswprintf(wchar_t *out, size_t room, const wchar_t *format, va_list args)
{
    if (!cspr_real_vswprintf)
        cspr_intercept_init();
    CSPR_FRAME();
    int result = cspr_real_vswprintf(out, room, format, args);
    if (result >= 0 && is_checked())
        check(out, ((size_t)result + 1) * sizeof *out, true, CSPR_STACK());
    return result;
}

CSPR_INTERCEPTOR int swprintf(wchar_t *out, size_t room, const wchar_t *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!cspr_real_vswprintf)
        cspr_intercept_init();
    CSPR_FRAME();
    int result = cspr_real_vswprintf(out, room, format, args);
    if (result >= 0 && is_checked())
        check(out, ((size_t)result + 1) * sizeof *out, true, CSPR_STACK());
    va_end(args);
    return result;
}

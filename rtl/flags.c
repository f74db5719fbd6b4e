// flags.c - CSPTHREAD_OPTIONS: parser, defaults and help, all made from flags.inc.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Precedence: defaults < __tsan_default_options() < __csp_default_options() < the environment.
#include "flags.h"
#include "support/print.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

cspr_flags_t cspr_flags = {
#define FLAG(type, name, value, help) .name = value,
#include "flags.inc"
#undef FLAG
};

// A program may define these.
CSPR_INTERFACE __attribute__((weak)) const char *__csp_default_options(void);
CSPR_INTERFACE __attribute__((weak)) const char *__tsan_default_options(void);

void cspr_flags_defaults(cspr_flags_t *flags)
{
#define FLAG(type, name, value, help) flags->name = value;
#include "flags.inc"
#undef FLAG
}

// --- one value of each type ------------------------------------------------------------------------------------------------

static bool read_bool(const char *value, bool *out)
{
    static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off"};
    for (int i = 0; i < 4; i++) {
        if (!strcmp(value, yes[i]))
            return *out = true, true;
        if (!strcmp(value, no[i]))
            return *out = false, true;
    }
    return false;
}

static bool read_int(const char *value, int *out)
{
    bool negative = *value == '-';
    const char *p = value + negative;
    long v = 0;
    if (!*p)
        return false;
    for (; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        v = v * 10 + (*p - '0');
        if (v > INT_MAX)
            return false;
    }
    *out = (int)(negative ? -v : v);
    return true;
}

static bool read_u64(const char *value, uint64_t *out)
{
    uint64_t v = 0;
    if (!*value)
        return false;
    for (const char *p = value; *p; p++)
        if (*p < '0' || *p > '9' || __builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            return false;
    *out = v;
    return true;
}

static bool read_string(const char *value, const char **out)
{
    *out = value;
    return true;
}

static int complain(const char *source, const char *what, const char *name, const char *value, const char *hint)
{
    char line[1024];
    size_t n =
        value ? cspr_format(line, sizeof line, "CspThreadSanitizer: %s: %s %s=%s%s\n", source, what, name, value, hint)
              : cspr_format(line, sizeof line, "CspThreadSanitizer: %s: %s '%s'%s\n", source, what, name, hint);
    cspr_print_err(line, n);
    return 1;
}

// Options of ThreadSanitizer's and of its common part that ask for nothing that would be different here; lists of options are
// passed on from project to project.
static bool is_accepted(const char *name)
{
    static const char *const names[] = {
        "abort_on_error",
        "adaptive_delay",
        "allocator_may_return_null",
        "allocator_release_to_os_interval_ms",
        "allow_addr2line",
        "atexit_sleep_ms",
        "can_use_proc_maps_statm",
        "check_initialization_order",
        "coverage",
        "coverage_dir",
        "decorate_proc_maps",
        "dedup_token_length",
        "detect_deadlocks",
        "die_after_fork",
        "disable_coredump",
        "dump_instruction_bytes",
        "dump_registers",
        "enable_adaptive_delay",
        "enable_annotations",
        "fast_unwind_on_fatal",
        "fast_unwind_on_malloc",
        "flush_memory_ms",
        "flush_symbolizer_ms",
        "force_seq_cst_atomics",
        "full_address_space",
        "handle_abort",
        "handle_ioctl",
        "handle_segv",
        "handle_sigbus",
        "handle_sigfpe",
        "handle_sigill",
        "handle_sigtrap",
        "handle_signals",
        "hard_rss_limit_mb",
        "history_size",
        "ignore_interceptors_accesses",
        "ignore_noninstrumented_modules",
        "include",
        "include_if_exists",
        "intercept_memcmp",
        "intercept_memmem",
        "intercept_send",
        "intercept_stat",
        "intercept_strchr",
        "intercept_strcmp",
        "intercept_strlen",
        "intercept_strndup",
        "intercept_strpbrk",
        "intercept_strspn",
        "intercept_strstr",
        "intercept_strtok",
        "intercept_tls_get_addr",
        "legacy_pthread_cond",
        "lock_during_write",
        "log_exe_name",
        "log_suffix",
        "log_to_syslog",
        "malloc_context_size",
        "max_allocation_size_mb",
        "memory_limit_mb",
        "mmap_limit_mb",
        "no_huge_pages_for_shadow",
        "print_benign",
        "print_cmdline",
        "print_full_thread_history",
        "print_module_map",
        "profile_memory",
        "report_atomic_races",
        "running_on_valgrind",
        "second_deadlock_stack",
        "shared_ptr_interceptor",
        "soft_rss_limit_mb",
        "stack_trace_format",
        "stop_on_start",
        "strict_memcmp",
        "strict_string_checks",
        "suppress_equal_addresses",
        "symbolize_inline_frames",
        "symbolize_vs_style",
        "test_only_emulate_no_memorymap",
        "use_madv_dontdump",
        "use_sigaltstack",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static int set_flag(cspr_flags_t *flags, const char *name, const char *value, const char *source)
{
#define CSPR_WANTS_int " (a whole number is wanted)"
#define CSPR_WANTS_u64 " (a whole number from 0 to 18446744073709551615 is wanted)"
#define CSPR_WANTS_bool " (0 or 1 is wanted)"
#define CSPR_WANTS_string ""
#define FLAG(type, flag, init, help)                                                                                   \
    if (!strcmp(name, #flag))                                                                                          \
        return read_##type(value, &flags->flag) ? 0                                                                    \
                                                : complain(source, "malformed value", name, value, CSPR_WANTS_##type);
#include "flags.inc"
#undef FLAG
    if (is_accepted(name))
        return 0;
    return complain(source, "unknown option", name, NULL, " (CSPTHREAD_OPTIONS=help=1 lists them)");
}

// --- the string ------------------------------------------------------------------------------------------------------------

static bool is_separator(char c)
{
    return c == ' ' || c == ',' || c == ':' || c == '\n' || c == '\t' || c == '\r';
}

// The value at p, up to a separator or its closing quote; *end is where it stops, NULL when a quote is not closed.
static char *read_value(const char *p, const char **end)
{
    if (*p == '"' || *p == '\'') {
        const char *close = strchr(p + 1, *p);
        *end = close ? close + 1 : NULL;
        return cspr_keep(p + 1, close ? (size_t)(close - p - 1) : strlen(p + 1));
    }
    const char *q = p;
    while (*q && !is_separator(*q))
        q++;
    *end = q;
    return cspr_keep(p, (size_t)(q - p));
}

int cspr_flags_parse(cspr_flags_t *flags, const char *text, const char *source)
{
    int wrong = 0;
    for (const char *p = text; *p;) {
        if (is_separator(*p)) {
            p++;
            continue;
        }
        const char *q = p;
        while (*q && *q != '=' && !is_separator(*q))
            q++;
        const char *name = cspr_keep(p, (size_t)(q - p));
        if (*q != '=') {
            wrong += complain(source, "expected name=value, got", name, NULL, "");
            p = q;
            continue;
        }
        const char *end;
        const char *value = read_value(q + 1, &end);
        if (!end)
            return wrong + complain(source, "quote not closed in", name, value, "");
        wrong += set_flag(flags, name, value, source);
        p = end;
    }
    return wrong;
}

// --- start -----------------------------------------------------------------------------------------------------------------

// We run before libc's constructors, which may be what sets `environ`: then the kernel's copy is read.
const char *cspr_getenv(const char *name)
{
    static char *copy;
    static size_t len;
    size_t n = strlen(name);
    if (environ) {
        for (char **e = environ; *e; e++)
            if (!strncmp(*e, name, n) && (*e)[n] == '=')
                return *e + n + 1;
        return NULL;
    }
    size_t map_size;
    if (!copy && !(copy = cspr_read_file("/proc/self/environ", &len, &map_size)))
        return NULL;
    for (char *e = copy; e < copy + len; e += strlen(e) + 1)
        if (!strncmp(e, name, n) && e[n] == '=')
            return e + n + 1;
    return NULL;
}

#define CSPR_SHOW_int(v) cspr_text_add(&text, "%d", v)
#define CSPR_SHOW_u64(v) cspr_text_add(&text, "%llu", (unsigned long long)v)
#define CSPR_SHOW_bool(v) cspr_text_add(&text, "%d", v)
#define CSPR_SHOW_string(v) cspr_text_add(&text, "\"%s\"", v)

static void print_help(void)
{
    cspr_text text = {0};
    cspr_text_add(&text, "CSPTHREAD_OPTIONS: name=value, separated by spaces, commas, colons or newlines.\n");
#define FLAG(type, name, value, help)                                                                                  \
    cspr_text_add(&text, "  " #name " (" #type ", default ");                                                          \
    CSPR_SHOW_##type(value);                                                                                           \
    cspr_text_add(&text, ")\n      " help "\n");
#include "flags.inc"
#undef FLAG
    cspr_print_err(text.data, text.len);
    cspr_text_fini(&text);
}

void cspr_flags_init(void)
{
    const char *env = cspr_getenv("CSPTHREAD_OPTIONS");
    if (__tsan_default_options)
        cspr_flags_parse(&cspr_flags, __tsan_default_options(), "__tsan_default_options()");
    if (__csp_default_options)
        cspr_flags_parse(&cspr_flags, __csp_default_options(), "__csp_default_options()");
    if (env)
        cspr_flags_parse(&cspr_flags, env, "CSPTHREAD_OPTIONS");
    if (cspr_flags.help) {
        print_help();
        _exit(0);
    }
}

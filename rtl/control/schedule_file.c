// schedule_file.c - the schedule of a run, written while it runs; reading the one to be followed; the end of a controlled run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The text is written straight into a shared mapping of the file, which the kernel keeps whatever becomes of the process. Room is
// allocated before it is mapped: a full disk must not show as SIGBUS. Everything is done by who has the turn, but for findings, which
// are noted by any thread and written by the next one who has it.
#include "control/schedule_file.h"

#include "control/control_state.h"
#include "control/schedule_follow.h"
#include "flags.h"
#include "report/finding_log.h"
#include "support/libc.h"
#include "support/lock.h"
#include "support/modules.h"
#include "support/print.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// --- modules ---------------------------------------------------------------------------------------------------------------------------

static cspr_module modules[CSPR_SCHEDULE_MODULES];
static char build_id[129];
static unsigned n_modules, last_module;
static char **program_argv;

static void note_build_id(const cspr_image *image)
{
    static const char digits[] = "0123456789abcdef";
    const Elf64_Phdr *h = image->headers;
    for (unsigned i = 0; i < image->n_headers; i++) {
        if (h[i].p_type != PT_NOTE)
            continue;
        const char *p = (const char *)(image->module.bias + h[i].p_vaddr), *end = p + h[i].p_memsz;
        while (end - p >= (ptrdiff_t)sizeof(Elf64_Nhdr)) {
            const Elf64_Nhdr *note = (const Elf64_Nhdr *)p;
            const unsigned char *bytes = (const unsigned char *)p + sizeof *note + ((note->n_namesz + 3) & ~3u);
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && note->n_descsz <= 64) {
                for (unsigned k = 0; k < note->n_descsz; k++) {
                    build_id[2 * k] = digits[bytes[k] >> 4];
                    build_id[2 * k + 1] = digits[bytes[k] & 15];
                }
                return;
            }
            p = (const char *)bytes + ((note->n_descsz + 3) & ~3u);
        }
    }
}

static bool note_module(const cspr_image *image, void *unused)
{
    (void)unused;
    if (n_modules == 0)
        note_build_id(image); // the program's own comes first
    modules[n_modules] = image->module;
    modules[n_modules++].path = cspr_keep(image->module.path, strlen(image->module.path));
    return n_modules < CSPR_SCHEDULE_MODULES;
}

void cspr_schedule_file_note_modules(void)
{
    if (!n_modules)
        cspr_images_each(note_module, NULL);
}

static int find_module(uintptr_t pc)
{
    if (last_module < n_modules && pc >= modules[last_module].lo && pc < modules[last_module].hi)
        return (int)last_module;
    for (unsigned i = 0; i < n_modules; i++)
        if (pc >= modules[i].lo && pc < modules[i].hi)
            return (int)(last_module = i);
    return -1;
}

// --- room for text ------------------------------------------------------------------------------------------------------------------------

enum { FIRST_ROOM = 64 << 10, MAX_LINE = 160 };
#define FIRST_RUN_ROOM ((size_t)1 << 30) // of addresses, for the first of two runs that are compared

static struct {
    char path[PATH_MAX];
    char *text; // NULL: nothing is written
    size_t len, cap;
    bool is_memory; // of the first of two runs
    bool keep;      // there was a finding
} out;

static void stop_writing(int error)
{
    cspr_note("cannot write schedule_file %s: error %d", out.path, error);
    if (out.text && !out.is_memory)
        munmap(out.text, out.cap);
    out.text = NULL;
}

// Opened for each growth: the program may close descriptors that are not its own. By system calls: for open and close there are
// interceptors, which pass points, and here we are in the middle of one.
static bool map_file(size_t cap, bool fresh)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, out.path, O_RDWR | O_CLOEXEC | (fresh ? O_CREAT | O_TRUNC : 0), 0666);
    int error = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)cap);
    char *text = MAP_FAILED;
    if (!error && (text = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
        error = errno;
    if (fd >= 0)
        syscall(SYS_close, fd);
    if (error) {
        stop_writing(error);
        return false;
    }
    if (out.text)
        munmap(out.text, out.cap);
    out.text = text;
    out.cap = cap;
    return true;
}

static bool has_room(size_t n)
{
    if (CSPR_LIKELY(out.cap - out.len > n))
        return true;
    if (out.is_memory) // the rest is not compared
        return false;
    size_t cap = 2 * out.cap;
    while (cap - out.len <= n)
        cap *= 2;
    return map_file(cap, false);
}

static void put_bytes(const char *p, size_t n)
{
    if (!out.text || !has_room(n))
        return;
    memcpy(out.text + out.len, p, n);
    out.len += n;
}

// --- a step: no printf, there are many ---------------------------------------------------------------------------------------------------------

static char *put_decimal(char *p, uint64_t v)
{
    char digits[20];
    unsigned n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *p++ = digits[--n];
    return p;
}

static char *put_hex(char *p, uint64_t v)
{
    int shift = v ? (63 - __builtin_clzll(v)) & ~3 : 0;
    for (; shift >= 0; shift -= 4)
        *p++ = "0123456789abcdef"[v >> shift & 15];
    return p;
}

static char *put_text(char *p, const char *text)
{
    size_t n = strlen(text);
    memcpy(p, text, n); // NOLINT(bugprone-not-null-terminated-result): the line goes on
    return p + n;
}

static char *put_decision(char *p, const cspr_candidate *c, uint32_t n)
{
    *p++ = '|';
    p = put_decimal(p, n);
    *p++ = ' ';
    return put_hex(p, cspr_follow_hash(c, n));
}

static char *put_place(char *p, uintptr_t pc)
{
    int module = pc ? find_module(pc) : -1;
    if (module < 0) {
        *p++ = '-';
        return p;
    }
    p = put_decimal(p, (uint64_t)module);
    *p++ = '+';
    return put_hex(p, pc - modules[module].bias);
}

static char *put_executed(char *p, const cspr_candidate *one, uintptr_t pc)
{
    p = put_decimal(p, one->task);
    *p++ = ' ';
    p = put_decimal(p, one->points);
    *p++ = ' ';
    p = put_text(p, cspr_op_name(one->op));
    *p++ = ' ';
    p = put_decimal(p, one->object);
    *p++ = ' ';
    return put_place(p, pc);
}

static void write_executed(const cspr_candidate *c, uint32_t n, int chosen, uintptr_t pc)
{
    if (!out.text || !has_room(MAX_LINE))
        return;
    char *start = out.text + out.len, *p = chosen >= 0 ? put_executed(start, &c[chosen], pc) : put_text(start, "clock");
    if (n > 1 || chosen < 0)
        p = put_decision(p, c, n);
    *p++ = '\n';
    out.len += (size_t)(p - start);
}

static void write_number(uint32_t n, uint32_t number)
{
    if (!out.text || !has_room(MAX_LINE))
        return;
    char *start = out.text + out.len, *p = put_decimal(put_text(start, "choose "), number);
    *p++ = '|';
    p = put_decimal(p, n);
    *p++ = '\n';
    out.len += (size_t)(p - start);
}

// --- findings ----------------------------------------------------------------------------------------------------------------------------------

static cspr_lock findings_lock;
static cspr_text findings; // not yet written
static bool has_findings;  // atomic

void cspr_schedule_file_finding(const char *kind, const char *title)
{
    if (!cspr_controlled)
        return;
    cspr_lock_acquire(&findings_lock);
    out.keep = true;
    cspr_text_add(&findings, "! %s\t", kind);
    for (const char *p = title; *p; p++)
        cspr_text_bytes(&findings, (unsigned char)*p < 0x20 ? " " : p, 1);
    cspr_text_bytes(&findings, "\n", 1);
    __atomic_store_n(&has_findings, true, __ATOMIC_RELEASE); // a hint; the lock orders
    cspr_lock_release(&findings_lock);
}

static void write_findings(void)
{
    cspr_lock_acquire(&findings_lock);
    put_bytes(findings.data, findings.len);
    findings.len = 0;
    __atomic_store_n(&has_findings, false, __ATOMIC_RELAXED); // relaxed: under the lock
    cspr_lock_release(&findings_lock);
}

// --- the recorder --------------------------------------------------------------------------------------------------------------------------------

static void executed(const cspr_candidate *c, uint32_t n, int chosen, uintptr_t pc)
{
    if (CSPR_UNLIKELY(__atomic_load_n(&has_findings, __ATOMIC_RELAXED))) // relaxed: looked at again at the next step
        write_findings();
    write_executed(c, n, chosen, pc);
    cspr_follow_executed(c, n, chosen, pc);
}

static void chose(uint32_t n, uint32_t number)
{
    write_number(n, number);
    cspr_follow_chose(n, number);
}

static const cspr_recorder recorder = {cspr_follow, executed, cspr_follow_number, chose};

// --- the head ------------------------------------------------------------------------------------------------------------------------------------

static void put_head(void)
{
    char program[PATH_MAX];
    cspr_text t = {0};
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = 0;
    cspr_text_add(&t, "cspthread schedule 1\nprogram: %s\nbuild-id: %s\narguments: [", program, build_id);
    for (char **a = program_argv; a && *a && a[1]; a++) {
        cspr_text_add(&t, a == program_argv ? "" : ",");
        cspr_json_string(&t, a[1]);
    }
    cspr_text_add(&t, "]\noptions: schedule_points=%s:schedule_delay_ms=%d:schedule_depth=%d:schedule_length=%d\n",
                  cspr_flags.schedule_points, cspr_flags.schedule_delay_ms, cspr_flags.schedule_depth,
                  cspr_flags.schedule_length);
    cspr_text_add(&t, "strategy: %s\nseed: %lu\n", cspr_strategy_name(cspr_strategy_used()),
                  (unsigned long)cspr_flags.seed);
    for (unsigned i = 0; i < n_modules; i++)
        cspr_text_add(&t, "module: %u %s\n", i, modules[i].path);
    cspr_text_add(&t, "\n");
    put_bytes(t.data, t.len);
    cspr_text_fini(&t);
}

// --- following -----------------------------------------------------------------------------------------------------------------------------------

static cspr_schedule followed;

static void parse_or_die(const char *name, const char *text, size_t len)
{
    size_t lines = cspr_schedule_count_lines(text, len);
    cspr_step *steps = cspr_map((lines + 1) * sizeof *steps);
    if (!cspr_schedule_parse(text, len, steps, &followed))
        cspr_die("replay: %s:%zu: %s", name, followed.line, followed.error);
}

// The module of the record may be another one here.
uintptr_t cspr_schedule_place(const cspr_step *s)
{
    const cspr_span *path = s->module >= 0 ? &followed.modules[s->module] : NULL;
    for (unsigned i = 0; path && path->p && i < n_modules; i++)
        if (strlen(modules[i].path) == path->n && !memcmp(modules[i].path, path->p, path->n))
            return s->offset + modules[i].bias;
    return 0;
}

static void warn_if_other_build(void)
{
    if (followed.build_id.n &&
        (followed.build_id.n != strlen(build_id) || memcmp(followed.build_id.p, build_id, followed.build_id.n) != 0))
        cspr_note("replay: %s was recorded with another build of the program", cspr_flags.replay);
}

void cspr_schedule_file_load(void)
{
    size_t len, map_size;
    if (!*cspr_flags.replay)
        return;
    cspr_schedule_file_note_modules();
    char *text = cspr_read_file(cspr_flags.replay, &len, &map_size);
    if (!text)
        cspr_die("replay: cannot read %s: %s", cspr_flags.replay, strerrordesc_np(errno));
    parse_or_die(cspr_flags.replay, text, len);
    warn_if_other_build();
    cspr_flags_parse(&cspr_flags, cspr_keep(followed.options.p ? followed.options.p : "", followed.options.n),
                     cspr_flags.replay);
    cspr_follow_begin(&followed, cspr_flags.replay_prefix > 0 ? (uint64_t)cspr_flags.replay_prefix : 0, false);
}

// --- a seed twice ----------------------------------------------------------------------------------------------------------------------------------

static void become_first_run(char *room)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (null >= 0) {
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        close(null);
    }
    cspr_flags.finding_log = cspr_flags.schedule_file = cspr_flags.schedule_profile_out = "";
    cspr_flags.log_path = "stderr";
    out.text = room;
    out.cap = FIRST_RUN_ROOM;
    out.is_memory = true;
    put_head();
}

// Returns in the first run, and in the second once the first has ended.
static void run_twice(void)
{
    char *room = mmap(NULL, FIRST_RUN_ROOM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        cspr_die("schedule_check: out of memory");
    cspr_leave(); // as handlers of fork expect it
    pid_t pid = fork();
    cspr_enter();
    if (pid < 0)
        cspr_die("schedule_check: cannot fork: %s", strerrordesc_np(errno));
    if (pid == 0) {
        become_first_run(room);
        return;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    parse_or_die("the first run", room, strnlen(room, FIRST_RUN_ROOM));
    cspr_follow_begin(&followed, 0, true);
}

// --- begin and end ---------------------------------------------------------------------------------------------------------------------------------

static int exit_status;
static bool has_ended;

static void note_status(int status, void *unused)
{
    (void)unused;
    exit_status = status;
}

void cspr_schedule_file_init(char **argv)
{
    program_argv = argv;
    if (cspr_controlled)
        cspr_real_on_exit(note_status, NULL);
}

// The program may change its directory.
static void make_absolute(const char *path)
{
    size_t n = 0;
    if (*path != '/' && getcwd(out.path, sizeof out.path / 2)) {
        n = strlen(out.path);
        out.path[n++] = '/';
    }
    cspr_format(out.path + n, sizeof out.path - n, "%s", path);
}

void cspr_schedule_file_begin(void)
{
    bool checks = cspr_flags.schedule_check && !*cspr_flags.replay;
    if (*cspr_flags.replay)
        cspr_flags.seed = followed.seed;
    if (!checks && !*cspr_flags.replay && !*cspr_flags.schedule_file)
        return;
    cspr_schedule_file_note_modules();
    cspr_control_recorder = &recorder;
    if (checks)
        run_twice();
    if (!*cspr_flags.schedule_file)
        return;
    make_absolute(cspr_flags.schedule_file);
    if (map_file(FIRST_ROOM, true))
        put_head();
}

static void close_file(void)
{
    if (!out.text || out.is_memory)
        return;
    write_findings();
    if (out.keep || exit_status || cspr_flags.schedule_keep || cspr_follow_diverged_at()) {
        if (truncate(out.path, (off_t)out.len))
            cspr_note("cannot write schedule_file %s: error %d", out.path, errno);
    } else {
        unlink(out.path);
    }
}

static void log_run(void)
{
    cspr_text t = {0};
    cspr_control_counts n = cspr_control_count();
    const char *why = cspr_control_why_not();
    bool begun = cspr_control_has_begun();
    cspr_text_add(&t, "{\"type\":\"run\",\"strategy\":");
    cspr_json_string(&t, *cspr_flags.replay && !cspr_flags.replay_prefix ? "replay"
                         : begun                                         ? cspr_strategy_name(cspr_strategy_used())
                                                                         : cspr_flags.schedule);
    cspr_text_add(&t, ",\"depth\":%u,\"seed\":%lu,\"points\":%lu,\"decisions\":%lu,\"tasks\":%u,\"interleaving\":\"",
                  begun ? cspr_strategy_depth() : 0, (unsigned long)cspr_flags.seed, n.points, n.decisions, n.tasks);
    uint64_t interleaving = begun ? cspr_interleaving_hash() : 0;
    for (int shift = 60; shift >= 0; shift -= 4)
        cspr_text_add(&t, "%x", (unsigned)(interleaving >> shift & 15));
    cspr_text_add(&t, "\",\"virtual_ns\":%ld,\"replayable\":%s,\"why_not\":", (long)n.virtual_ns,
                  *why ? "false" : "true");
    cspr_json_string(&t, why);
    cspr_text_add(&t, ",\"diverged_at\":%lu}\n", (unsigned long)cspr_follow_diverged_at());
    cspr_finding_log_line(t.data, t.len);
    cspr_text_fini(&t);
}

void cspr_schedule_file_after_fork(void)
{
    if (!cspr_control_has_begun())
        return;                                           // a run of the server's
    __atomic_store_n(&has_ended, true, __ATOMIC_RELAXED); // relaxed: alone
    cspr_control_recorder = NULL;
    out.text = NULL; // the mapping stays: it is shared
}

void cspr_schedule_file_end(void)
{
    if (!cspr_controlled ||
        __atomic_exchange_n(&has_ended, true, __ATOMIC_RELAXED)) // relaxed: who is first, nothing else
        return;
    int saved = errno, cancel = cspr_cancel_off();
    cspr_enter();
    close_file();
    if (cspr_finding_log_on())
        log_run();
    cspr_leave();
    cspr_cancel_on(cancel);
    errno = saved;
}

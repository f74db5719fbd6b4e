// space.c - reserving the shadow map at start, in whatever address space the system gave us (rule E1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the map cannot be had, one line says why and what to do. Limits that are in the way are lifted if we may.
#define _GNU_SOURCE
#include "control/control.h"
#include "shadow/shadow.h"
#include "support/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_MAPPINGS = 4096, MAX_TRIES = 5 };
#define REEXEC_VARIABLE "CSPTHREAD_REEXEC="

// --- what is mapped ---------------------------------------------------------------------------------------------------------

typedef struct mapping {
    uintptr_t lo, hi;
} mapping;

static uintptr_t parse_hex(const char **p)
{
    uintptr_t v = 0;
    for (;; ++*p) {
        char ch = **p;
        if (ch >= '0' && ch <= '9')
            v = v * 16 + (uintptr_t)(ch - '0');
        else if (ch >= 'a' && ch <= 'f')
            v = v * 16 + (uintptr_t)(ch - 'a' + 10);
        else
            return v;
    }
}

static size_t read_mappings(mapping *out)
{
    enum { BYTES = 1 << 20 };
    char *text = cspr_alloc(BYTES);
    size_t used = 0, n = 0;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t got;
        while (used < BYTES - 1 && (got = read(fd, text + used, BYTES - 1 - used)) > 0)
            used += (size_t)got;
        close(fd);
    }
    for (const char *p = text; *p && n < MAX_MAPPINGS;) {
        mapping m;
        m.lo = parse_hex(&p);
        p++; // '-'
        m.hi = parse_hex(&p);
        if (m.lo < (uintptr_t)1 << 47) // not the kernel's vsyscall page
            out[n++] = m;
        while (*p && *p++ != '\n')
            ;
    }
    cspr_free(text, BYTES);
    return n;
}

static bool fold_together(mapping a, mapping b)
{
    const uintptr_t window = (uintptr_t)1 << 44;
    if (a.lo / window == b.lo / window)
        return false;
    uintptr_t a_lo = a.lo % window, b_lo = b.lo % window;
    return a_lo < b_lo + (b.hi - b.lo) && b_lo < a_lo + (a.hi - a.lo);
}

// Two mappings that share shadow would give false reports; one inside the shadow cannot live.
static bool address_space_is_usable(void)
{
    mapping *m = cspr_alloc(MAX_MAPPINGS * sizeof *m);
    size_t n = read_mappings(m);
    bool usable = true;
    for (size_t i = 0; i < n && usable; i++) {
        usable = m[i].hi <= CSPR_SHADOW_BASE || m[i].lo >= CSPR_SHADOW_BASE + CSPR_SHADOW_SIZE;
        for (size_t k = 0; k < i && usable; k++)
            usable = !fold_together(m[i], m[k]);
    }
    cspr_free(m, MAX_MAPPINGS * sizeof *m);
    return usable;
}

// --- another layout ---------------------------------------------------------------------------------------------------------

// Mappings from the bottom up lie in the middle of the shadow: programs run so on request (setarch -L), on older systems also
// where stacks are unlimited.
static void leave_legacy_layout(void)
{
    int now = personality(0xffffffff);
    if (now != -1 && (now & ADDR_COMPAT_LAYOUT))
        personality(
            (unsigned long)(now & ~ADDR_COMPAT_LAYOUT)); // a container may forbid it: the line below says what to do
    struct rlimit stack;
    if (!getrlimit(RLIMIT_STACK, &stack) && stack.rlim_cur == RLIM_INFINITY) {
        stack.rlim_cur = (rlim_t)1 << 30;
        setrlimit(RLIMIT_STACK, &stack);
    }
}

// Starts the program anew, hoping for another layout; ASLR stays on.
static void execute_again(char **argv, char **envp)
{
    static char variable[] = REEXEC_VARIABLE "0";
    size_t n = 0, at = SIZE_MAX;
    for (; envp && envp[n]; n++)
        if (!strncmp(envp[n], REEXEC_VARIABLE, sizeof REEXEC_VARIABLE - 1))
            at = n;
    int tries = at == SIZE_MAX ? 0 : envp[at][sizeof REEXEC_VARIABLE - 1] - '0';
    if (tries >= MAX_TRIES || !argv || !envp)
        cspr_die("the address space cannot be shadowed, after %d starts: something is mapped between 0x%llx and "
                 "0x%llx, or two "
                 "mappings lie 16 TB apart; run it without setarch -L, or as \"setarch -R PROGRAM\"",
                 tries + 1, CSPR_SHADOW_BASE, CSPR_SHADOW_BASE + CSPR_SHADOW_SIZE);
    leave_legacy_layout();
    variable[sizeof variable - 2] = (char)('1' + tries);
    char **env = cspr_alloc((n + 2) * sizeof *env);
    memcpy(env, envp, n * sizeof *env);
    env[at == SIZE_MAX ? n : at] = variable;
    execve("/proc/self/exe", argv, env);
    cspr_die(
        "the address space cannot be shadowed, and the program cannot be started again (errno %d): is /proc mounted?",
        errno);
}

// Under a controlled schedule programs that look at addresses do the same in every process: started anew, unless it was so
// already, with the layout that is not random. Not where the loader was started as the program: it would be, again.
static void fix_layout(char **argv, char **envp)
{
    int now = personality(0xffffffff);
    if (now == -1 || now & ADDR_NO_RANDOMIZE || !argv || !getauxval(AT_BASE))
        return;
    if (personality((unsigned long)(now | ADDR_NO_RANDOMIZE)) == -1) // a container may forbid it
        return;
    execve("/proc/self/exe", argv, envp);
    personality((unsigned long)now);
}

// --- reserving --------------------------------------------------------------------------------------------------------------

// A limit that the shadow does not fit: lifted if we may. False: we may not.
static bool lift_limit(int which)
{
    struct rlimit limit;
    if (getrlimit(which, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return true;
    limit.rlim_cur = RLIM_INFINITY;
    if (limit.rlim_max == RLIM_INFINITY)
        return setrlimit(which, &limit) == 0;
    limit.rlim_max = RLIM_INFINITY; // root may
    return setrlimit(which, &limit) == 0;
}

static bool overcommit_is_strict(void)
{
    char mode = 0;
    int fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, &mode, 1);
    close(fd);
    return n == 1 && mode == '2';
}

static void *reserve_shadow(void)
{
    return mmap((void *)CSPR_SHADOW_BASE, CSPR_SHADOW_SIZE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
}

static void die_without_shadow(int why, bool space_limited, bool data_limited)
{
    if (space_limited || data_limited)
        cspr_die("the hard limit on %s (ulimit -%s) is below the 32 TB of addresses that shadow needs: raise it to "
                 "unlimited",
                 space_limited ? "address space" : "data", space_limited ? "v" : "d");
    if (overcommit_is_strict())
        cspr_die("vm.overcommit_memory is 2, which refuses the 32 TB of addresses that shadow needs: run \"sysctl "
                 "vm.overcommit_memory=1\" as root, on the host of a container");
    cspr_die(
        "cannot reserve 32 TB of addresses for shadow (errno %d): is the address space smaller than 47 bits, or does a "
        "sandbox limit it?",
        why);
}

void cspr_shadow_init(char **argv, char **envp)
{
    if (cspr_controlled)
        fix_layout(argv, envp);
    if (!address_space_is_usable())
        execute_again(argv, envp);
    void *p = reserve_shadow();
    if (p == MAP_FAILED) {
        bool space = lift_limit(RLIMIT_AS), data = lift_limit(RLIMIT_DATA);
        p = reserve_shadow();
        if (p == MAP_FAILED)
            die_without_shadow(errno, !space, !data);
        if (cspr_flags.verbosity > 0)
            cspr_note("limits on address space and data are lifted: shadow needs 32 TB of addresses");
    }
    if (p != (void *)CSPR_SHADOW_BASE)
        cspr_die("shadow needs addresses from 0x%llx on, and the system gave others: Linux 4.17 or newer is needed",
                 CSPR_SHADOW_BASE);
    madvise(p, CSPR_SHADOW_SIZE, MADV_DONTDUMP);
    madvise(p, CSPR_SHADOW_SIZE, MADV_NOHUGEPAGE);
}

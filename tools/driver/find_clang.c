// find_clang.c - the clang whose major version the plugin was built for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In this order: the environment's CSPTHREAD_CLANG, clang-22 in PATH, Debian's place for it, `clang` in PATH if that is
// version 22. A plugin loaded into another major version crashes it, so an unknown clang is asked for its version; one
// whose resolved path names the version is not, since the question takes as long as a small compilation.
#include "driver/find_clang.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/text.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define MAJOR STRING(CSP_LLVM_MAJOR)

static bool is_self(const char *path)
{
    struct stat self, other;
    return stat("/proc/self/exe", &self) == 0 && stat(path, &other) == 0 && self.st_dev == other.st_dev &&
           self.st_ino == other.st_ino;
}

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0 && !is_self(path);
}

// First executable of that name in PATH, or NULL.
static char *search_path(const char *name)
{
    const char *path = getenv("PATH");
    if (!path)
        path = "/usr/local/bin:/usr/bin:/bin";
    for (const char *end; *path; path = *end ? end + 1 : end) {
        end = strchrnul(path, ':');
        char *candidate =
            end == path ? cspt_format("./%s", name) : cspt_format("%.*s/%s", (int)(end - path), path, name);
        if (is_program(candidate))
            return candidate;
        free(candidate);
    }
    return NULL;
}

static bool path_names_version(const char *program)
{
    char real[PATH_MAX];
    if (!realpath(program, real))
        return false;
    const char *base = strrchr(real, '/') + 1;
    return strcmp(base, "clang-" MAJOR) == 0 || strstr(real, "/llvm-" MAJOR "/bin/clang");
}

// What `program -dumpversion` prints, "" when it prints nothing.
static void ask_version(const char *program, cspt_text *version)
{
    char *const command[] = {(char *)program, "-dumpversion", NULL};
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    cspt_text_append(version, "", 0);
    if (pipe2(ends, O_CLOEXEC) < 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) != 0)
        cspt_fatal("cannot run %s: %s", program, strerror(errno));
    int error = posix_spawn(&pid, program, &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error == 0) {
        cspt_text_read_fd(version, ends[0]);
        waitpid(pid, NULL, 0);
    }
    close(ends[0]);
    version->bytes[strcspn(version->bytes, "\n")] = 0;
}

// True when it is the version we need; else *version_out tells which it is.
static bool has_version(const char *program, const char **version_out)
{
    *version_out = "unknown";
    if (path_names_version(program))
        return true;
    cspt_text version = {0}; // stays: the message shows it
    ask_version(program, &version);
    if (*version.bytes)
        *version_out = version.bytes;
    return strtol(version.bytes, NULL, 10) == CSP_LLVM_MAJOR;
}

static void tell_what_to_install(void)
{
    cspt_note("install it with `apt-get install clang-" MAJOR "` (on Debian 12 it lies in bookworm-security; "
              "tools/dev.sh deps sets that up), or name it in CSPTHREAD_CLANG");
}

const char *cspt_find_clang(void)
{
    const char *version = "unknown";
    const char *named = getenv("CSPTHREAD_CLANG");
    if (named && *named) {
        const char *program = strchr(named, '/') ? named : search_path(named);
        if (!program || !is_program(program))
            cspt_fatal("CSPTHREAD_CLANG=%s: no such compiler", named);
        if (!has_version(program, &version))
            cspt_fatal("CSPTHREAD_CLANG=%s is version %s; the plugin needs clang " MAJOR, named, version);
        return program;
    }
    const char *program = search_path("clang-" MAJOR);
    if (program)
        return program;
    if (is_program("/usr/lib/llvm-" MAJOR "/bin/clang"))
        return "/usr/lib/llvm-" MAJOR "/bin/clang";
    program = search_path("clang");
    if (program && has_version(program, &version))
        return program;
    if (program)
        cspt_error("cannot find clang " MAJOR ": %s is version %s", program, version);
    else
        cspt_error("cannot find clang " MAJOR ": neither clang-" MAJOR " nor clang is in PATH");
    tell_what_to_install();
    exit(cspt_fatal_status);
}

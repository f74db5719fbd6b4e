// launch.c - starts a test's command: its folder, environment and descriptors.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"

extern char **environ;

static bool has_name(const char *variable, const char *name, size_t n)
{
    return strncmp(variable, name, n) == 0 && (variable[n] == '=' || !variable[n]);
}

static void set_variable(cspt_argv *environment, const char *variable)
{
    size_t n = strcspn(variable, "="), kept = 0;
    for (size_t i = 0; i < environment->count; i++)
        if (!has_name(environment->items[i], variable, n))
            environment->items[kept++] = environment->items[i];
    environment->count = kept;
    if (environment->capacity)
        environment->items[kept] = NULL;
    if (variable[n])
        cspt_argv_push(environment, variable);
}

static const char *find_variable(const cspt_argv *environment, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < environment->count; i++)
        if (has_name(environment->items[i], name, n))
            return environment->items[i] + n + 1;
    return NULL;
}

// *options is to be freed, after the vector.
static cspt_argv make_environment(const cspt_target *t, const cspt_launch *how, char **options)
{
    cspt_argv all = {0};
    for (char **e = environ; *e; e++)
        cspt_argv_push(&all, *e);
    for (size_t i = 0; i < t->environment.count; i++)
        set_variable(&all, t->environment.items[i]);
    *options = NULL;
    if (how->options) {
        const char *before = find_variable(&all, "CSPTHREAD_OPTIONS");
        *options =
            cspt_format("CSPTHREAD_OPTIONS=%s%s%s", before ? before : "", before && *before ? ":" : "", how->options);
        set_variable(&all, *options);
    }
    return all;
}

static int put(posix_spawn_file_actions_t *actions, int fd, int as)
{
    if (fd == CSPT_LAUNCH_OURS)
        return 0;
    return fd == CSPT_LAUNCH_NULL ? posix_spawn_file_actions_addopen(actions, as, "/dev/null", O_RDWR, 0)
                                  : posix_spawn_file_actions_adddup2(actions, fd, as);
}

static int set_attributes(posix_spawnattr_t *attributes, const cspt_launch *how)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (how->is_foreground ? 0 : POSIX_SPAWN_SETPGROUP);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGXFSZ); // which csp ignores, see cmd_test.c
    return posix_spawnattr_setsigmask(attributes, how->mask ? how->mask : &none) ||
           posix_spawnattr_setsigdefault(attributes, &defaults) || posix_spawnattr_setpgroup(attributes, 0) ||
           posix_spawnattr_setflags(attributes, flags);
}

// Descriptors are put in place one after the other, standard input first: what becomes output must not be descriptor 0. csp
// has all three open, see main.
int cspt_launch_start(const cspt_target *t, const cspt_launch *how, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&attributes) ||
        set_attributes(&attributes, how) || put(&actions, how->out, STDOUT_FILENO) ||
        put(&actions, how->err, STDERR_FILENO) || put(&actions, how->in, STDIN_FILENO) ||
        (how->kept >= 0 && posix_spawn_file_actions_adddup2(&actions, how->kept, how->kept)) ||
        (t->directory && posix_spawn_file_actions_addchdir_np(&actions, t->directory)))
        cspt_fatal("out of memory");
    char *options;
    cspt_argv environment = make_environment(t, how, &options);
    int error = posix_spawnp(pid, t->command.items[0], &actions, &attributes, (char **)t->command.items,
                             (char **)environment.items);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    cspt_argv_fini(&environment);
    free(options);
    return error;
}

// places.c - questions to csp-symbolizer and its answers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/places.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/parts.h"
#include "common/text.h"

extern char **environ;

static bool can_ask(const cspt_place *p)
{
    return p->module && !strpbrk(p->module, "\"\n");
}

// Files, not pipes: there is nothing to wait for on either side.
static int write_questions(const cspt_place *places, size_t n)
{
    int fd = memfd_create("questions", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (can_ask(&places[i]))
            dprintf(fd, "CODE \"%s\" 0x%lx\n", places[i].module,
                    (unsigned long)places[i].offset - 1); // inside the call
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static bool run_symbolizer(const char *program, int questions, int answers)
{
    posix_spawn_file_actions_t actions;
    char *argv[] = {(char *)(uintptr_t)program, NULL};
    pid_t pid;
    if (posix_spawn_file_actions_init(&actions) ||
        posix_spawn_file_actions_adddup2(&actions, questions, STDIN_FILENO) ||
        posix_spawn_file_actions_adddup2(&actions, answers, STDOUT_FILENO))
        cspt_fatal("out of memory");
    bool started = posix_spawn(&pid, program, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    while (started && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return started;
}

// The line at *at, which goes on behind it; NULL: there is none, or it is empty.
static char *take_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (!end || end == line)
        return NULL;
    *end = 0;
    *at = end + 1;
    return line;
}

// function, file:line:column; more of both for the functions it is inlined in; an empty line.
static void take_answer(char **at, cspt_place *p)
{
    char *function = take_line(at), *place = take_line(at);
    while (take_line(at))
        ;
    if (**at == '\n')
        ++*at;
    if (!function || !place)
        return;
    char *column = strrchr(place, ':');
    if (column)
        *column = 0;
    char *line = strrchr(place, ':');
    if (!line || !column)
        return;
    *line = 0;
    if (strcmp(function, "??") != 0)
        p->function = strdup(function);
    if (strcmp(place, "??") != 0) {
        p->file = strdup(place);
        p->line = (unsigned)strtoul(line + 1, NULL, 10);
    }
}

void cspt_places_find(cspt_place *places, size_t n)
{
    cspt_parts parts;
    cspt_text text = {0};
    cspt_parts_find(&parts);
    char *program = cspt_format("%s/csp-symbolizer", parts.bin);
    int questions = write_questions(places, n), answers = memfd_create("answers", MFD_CLOEXEC);
    if (questions >= 0 && answers >= 0 && run_symbolizer(program, questions, answers) &&
        lseek(answers, 0, SEEK_SET) == 0 && cspt_text_read_fd(&text, answers)) {
        char *at = text.bytes;
        for (size_t i = 0; i < n && *at; i++)
            if (can_ask(&places[i]))
                take_answer(&at, &places[i]);
    }
    if (questions >= 0)
        close(questions);
    if (answers >= 0)
        close(answers);
    cspt_text_fini(&text);
    free(program);
}

void cspt_places_fini(cspt_place *places, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(places[i].function);
        free(places[i].file);
        places[i].function = places[i].file = NULL;
    }
}

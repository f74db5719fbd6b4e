// library_calls.c - every function of the table rtl/intercept/intercept_library.inc races with an access that is not ordered after it, is
// reported at the caller's line under its own name, and is silent with order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O0 -fno-builtin -Wno-deprecated-declarations %s -o %t
// RUN: %python %S/Inputs/check_calls.py %t %S/Inputs/library_calls.inc %source_dir/rtl/intercept
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "../race/invisible.h"
#include <argz.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <envz.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <iconv.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <libgen.h>
#include <locale.h>
#include <math.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timeb.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <time.h>
#include <uchar.h>
#include <unistd.h>
#include <utime.h>
#include <wchar.h>
#include <wordexp.h>

char *__strcpy_chk(char *, const char *, size_t), *__stpcpy_chk(char *, const char *, size_t);
char *__strcat_chk(char *, const char *, size_t), *__strncpy_chk(char *, const char *, size_t, size_t);
char *__stpncpy_chk(char *, const char *, size_t, size_t), *__strncat_chk(char *, const char *, size_t, size_t);
void *__mempcpy_chk(void *, const void *, size_t, size_t);
void __explicit_bzero_chk(void *, size_t, size_t);
char *__getcwd_chk(char *, size_t, size_t), *__realpath_chk(const char *, char *, size_t);
ssize_t __readlink_chk(const char *, char *, size_t, size_t);
ssize_t __readlinkat_chk(int, const char *, char *, size_t, size_t);
int __gethostname_chk(char *, size_t, size_t), __poll_chk(struct pollfd *, nfds_t, int, size_t);
size_t __mbstowcs_chk(wchar_t *, const char *, size_t, size_t), __wcstombs_chk(char *, const wchar_t *, size_t, size_t);
wchar_t *__wcscpy_chk(wchar_t *, const wchar_t *, size_t), *__wmemcpy_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wmemset_chk(wchar_t *, wchar_t, size_t, size_t);
size_t __fread_chk(void *, size_t, size_t, size_t, FILE *),
    __fread_unlocked_chk(void *, size_t, size_t, size_t, FILE *);
char *__fgets_chk(char *, size_t, int, FILE *), *__fgets_unlocked_chk(char *, size_t, int, FILE *);
int __dprintf_chk(int, int, const char *, ...);
int __xpg_strerror_r(int, char *, size_t);

static char buffer[4096] __attribute__((aligned(64)));
static wchar_t wide[256];
static char *end, *out, *keys[] = {"a", "b", NULL}, *list[] = {"x", NULL};
static const char *from;
static wchar_t *wide_end;
static const wchar_t *wide_from;
static size_t size, out_size;
static int number, root, timer_fd, connection[2];
static unsigned ids[3];
static long long_number;
static double real = 2.5, loads[3];
static locale_t locale;
static iconv_t converter;
static mbstate_t multibyte;
static wordexp_t words;
static regex_t expression;
static regmatch_t match;
static glob_t found;
static time_t seconds = 1000000;
static struct timespec now, two_specs[2];
static struct timeval two_times[2];
static struct tm broken_down;
static struct itimerval interval;
static struct itimerspec timer_value;
static struct tms process_times;
static struct timeb timeb;
static struct timex adjusted;
static struct sigevent event;
static timer_t timer;
static fd_set set_of_fds;
static struct pollfd fds[2];
static struct stat status;
static struct stat64 status64;
static struct statx more_status;
static struct statvfs volume;
static struct statvfs64 volume64;
static struct statfs system_status;
static struct statfs64 system64;
static DIR *directory;
static struct dirent *entry, own_entry, **entries;
static struct addrinfo *addresses;
static struct sockaddr_in address;
static socklen_t length;
static struct hostent host, *host_found;
static struct ifaddrs *interfaces;
static struct passwd *user, own_user;
static struct group *group, own_group;
static struct utsname names;
static struct sysinfo information;
static siginfo_t information_of_signal;
static struct rusage usage;
static struct rlimit limit;
static struct rlimit64 limit64;
static struct random_data random_state;
static char random_room[64];
static struct drand48_data state48;
static cpu_set_t processors;
static struct sched_param scheduling;
static void *page;
static pid_t process;
static sigset_t signals;
static sem_t semaphore;
static struct hsearch_data table;
static ENTRY *item;
static pthread_attr_t attributes;
static pthread_mutexattr_t mutex_attributes;
static pthread_condattr_t cond_attributes;
static pthread_key_t key;
static FILE *file, *null, *wide_file, *wide_null;
static fpos_t position;
static int numbers[4] = {2, 1};
static size_t count;
static void *tree;

#define TEXT(s) (memset(buffer, 0, 256), memcpy(buffer, s, sizeof s));
#define WIDE(s) (memset(wide, 0, sizeof wide), memcpy(wide, L##s, sizeof L##s));

static void child(void)
{
    if (fork() == 0)
        _exit(0);
}

static void one_pending(void)
{
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR2);
    kill(getpid(), SIGUSR2); // blocked in all threads
}

static int visit(const char *path, const struct stat *s, int kind)
{
    return (void)path, (void)s, kind;
}

static int visit_more(const char *path, const struct stat *s, int kind, struct FTW *f)
{
    return (void)path, (void)s, (void)f, kind;
}

static void prepare(void)
{
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    locale = newlocale(LC_ALL_MASK, "C", NULL);
    converter = iconv_open("UTF-8", "UTF-8");
    root = open("/", O_RDONLY);
    directory = opendir("/proc/self");
    timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, connection);
    gmtime_r(&seconds, &broken_down);
    page = (void *)((uintptr_t)buffer & ~(uintptr_t)4095);
    sem_init(&semaphore, 0, 3);
    file = tmpfile();
    fputs("text\n", file);
    null = fopen("/dev/null", "w");
    wide_file = fopen("/proc/self/status", "r");
    wide_null = fopen("/dev/null", "w");
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int compare_with(const void *a, const void *b, void *with)
{
    return (void)with, compare(a, b);
}

static int which;
INVISIBLE static int next_case(void)
{
    return which++;
}

#define UNTESTED(name)

static void *next_call(void *arg)
{
    int wanted = next_case(), at = 0;
    (void)arg;
#define CASE(name, before, call, first)                                                                                \
    if (at++ == wanted) {                                                                                              \
        __typeof__(call) result = (call);                                                                              \
        __asm__ volatile("" : : "m"(result) : "memory");                                                               \
    }
#include "Inputs/library_calls.inc"
#undef CASE
    invisible_step();
    return NULL;
}

// Who reads a variable that the thread has set must not race on that variable.
#define LATER(pointer) invisible_get((void *const *)&(pointer))

static pthread_t start(void)
{
    pthread_t t;
    pthread_create(&t, NULL, next_call, NULL);
    return t;
}

static void wait_for_call(pthread_t t, const char *name, bool ordered)
{
    static int steps;
    invisible_wait(++steps);
    if (ordered)
        pthread_join(t, NULL);
    fprintf(stderr, "== %s\n", name);
}

int main(int argc, char **argv)
{
    bool ordered = argc > 1;
    (void)argv;
    prepare();
#define CASE(name, before, call, first)                                                                                \
    {                                                                                                                  \
        before;                                                                                                        \
        pthread_t t = start();                                                                                         \
        wait_for_call(t, #name, ordered);                                                                              \
        *(volatile char *)(first) ^= 0;                                                                                \
        if (!ordered)                                                                                                  \
            pthread_join(t, NULL);                                                                                     \
    }
#include "Inputs/library_calls.inc"
    return 0;
}

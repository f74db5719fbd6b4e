// library_functions.c - what library functions read and write for their caller races as the caller's own accesses do, and is
// reported at the caller's line under the function's name. Each case: a thread calls it, then main touches the memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --options='suppress_equal_stacks=0' %s
// RUN: %check_norace --flags='-fsanitize=cspthread -g -DRIGHT' %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "../race/invisible.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static char buffer[4096] __attribute__((aligned(16)));
static volatile char *touched = buffer;
static int number;
static char temporary[] = "/tmp/csp-XXXXXX";
static struct timespec now;
static struct tm broken_down;
static struct stat status;
static struct rusage usage;
static struct utsname names;
static struct pollfd fds[2];
static char *line;
static size_t line_size;
static time_t seconds = 1000000;
static FILE *file;
static struct addrinfo *addresses;

// function, the call, first byte main writes
#define CASES                                                                                                          \
    CASE(snprintf, snprintf(buffer, sizeof buffer, "%d %s", 5, "text"), buffer)                                        \
    CASE(sprintf, sprintf(buffer, "%5.2f|%s", 2.5, "x"), buffer + 6)                                                   \
    CASE(vsnprintf, format("%s %ld", "long", 77L), buffer + 3)                                                         \
    CASE(fprintf, fprintf(file, "%s", buffer), buffer)                                                                 \
    CASE(sscanf, sscanf("12 ab", "%d %*s", &number), &number)                                                          \
    CASE(sscanf, sscanf("12 ab", "%*d %15s", buffer), buffer + 2)                                                      \
    CASE(strtol, strtol(buffer, NULL, 10), buffer)                                                                     \
    CASE(strtod, strtod(buffer, NULL), buffer)                                                                         \
    CASE(clock_gettime, clock_gettime(CLOCK_REALTIME, &now), &now)                                                     \
    CASE(gmtime_r, gmtime_r(&seconds, &broken_down), &broken_down.tm_year)                                             \
    CASE(strftime, strftime(buffer, 100, "%Y", &broken_down), buffer + 1)                                              \
    CASE(mktime, mktime(&broken_down), &broken_down.tm_yday)                                                           \
    CASE(stat, stat("/", &status), &status.st_ino)                                                                     \
    CASE(getcwd, getcwd(buffer, sizeof buffer), buffer)                                                                \
    CASE(realpath, realpath("/", buffer), buffer)                                                                      \
    CASE(readlink, readlink("/proc/self/exe", buffer, sizeof buffer), buffer + 1)                                      \
    CASE(getrusage, getrusage(RUSAGE_SELF, &usage), &usage)                                                            \
    CASE(uname, uname(&names), names.release)                                                                          \
    CASE(poll, poll(fds, 2, 0), &fds[1].revents)                                                                       \
    CASE(fread, (rewind(file), fread(buffer, 1, 2, file)), buffer + 1)                                                 \
    CASE(fgets, (rewind(file), fgets(buffer, 100, file)), buffer)                                                      \
    CASE(fwrite, fwrite(buffer, 1, 9, file), buffer + 8)                                                               \
    CASE(fputs, fputs(buffer, file), buffer)                                                                           \
    CASE(getline, (rewind(file), getline(&line, &line_size, file)), &line_size)                                        \
    CASE(inet_ntop, inet_ntop(AF_INET, buffer, buffer + 64, 64), buffer + 64)                                          \
    CASE(inet_pton, inet_pton(AF_INET, "1.2.3.4", buffer), buffer + 3)                                                 \
    CASE(getaddrinfo, getaddrinfo("127.0.0.1", NULL, NULL, &addresses), &addresses)                                    \
    CASE(gethostname, gethostname(buffer, sizeof buffer), buffer)                                                      \
    CASE(strtok_r, strtok_r(buffer, ",", &line), &line)                                                                \
    CASE(strerror_r, strerror_r(9999, buffer, 100), buffer)                                                            \
    CASE(getenv, getenv(buffer), buffer)                                                                               \
    CASE(rand_r, rand_r((unsigned *)&number), &number)                                                                 \
    CASE(mkstemp, close(mkstemp(temporary)) + unlink(temporary), temporary + 10)

__attribute__((format(printf, 1, 2))) static int format(const char *text, ...)
{
    va_list args;
    va_start(args, text);
    int n = vsnprintf(buffer, sizeof buffer, text, args);
    va_end(args);
    return n;
}

static void finish(pthread_t t, volatile char *first)
{
    static int steps;
    invisible_wait(++steps);
#ifdef RIGHT
    pthread_join(t, NULL);
#endif
    *first ^= 0;
#ifndef RIGHT
    pthread_join(t, NULL);
#endif
}

#ifdef RIGHT
#define SAY(name) ((void)0)
#else
#define SAY(name) fprintf(stderr, "== %s\n", name)
#endif

static int which;
INVISIBLE static int next_case(void)
{
    return which++;
}

static void *next_call(void *arg)
{
    int wanted = next_case(), at = 0;
    (void)arg;
#define CASE(name, call, first)                                                                                        \
    if (at++ == wanted)                                                                                                \
        invisible_use((long)(call));
    CASES
    invisible_step();
    return NULL;
}
#undef CASE
#define CASE(name, call, first)                                                                                        \
    {                                                                                                                  \
        memset(buffer, 0, 200);                                                                                        \
        strcpy(buffer, "12,x");                                                                                        \
        pthread_t t;                                                                                                   \
        pthread_create(&t, NULL, next_call, NULL);                                                                     \
        SAY(#name);                                                                                                    \
        finish(t, (volatile char *)(first));                                                                           \
    }

int main(void)
{
    file = tmpfile();
    fputs("some text\n", file);
    fflush(file);
    CASES
    invisible_use(*touched);
    return 0;
}

// CHECK: == snprintf
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}snprintf{{(_chk|_)?}} 
// CHECK: == sprintf
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}sprintf{{(_chk|_)?}} 
// CHECK: == vsnprintf
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}vsnprintf{{(_chk|_)?}} 
// CHECK: == fprintf
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}fprintf{{(_chk|_)?}} 
// CHECK: == sscanf
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}sscanf{{(_chk|_)?}} 
// CHECK: == sscanf
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}sscanf{{(_chk|_)?}} 
// CHECK: == strtol
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}strtol{{(_chk|_)?}} 
// CHECK: == strtod
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}strtod{{(_chk|_)?}} 
// CHECK: == clock_gettime
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}clock_gettime{{(_chk|_)?}} 
// CHECK: == gmtime_r
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}gmtime_r{{(_chk|_)?}} 
// CHECK: == strftime
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}strftime{{(_chk|_)?}} 
// CHECK: == mktime
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}mktime{{(_chk|_)?}} 
// CHECK: == stat
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}stat{{(_chk|_)?}} 
// CHECK: == getcwd
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}getcwd{{(_chk|_)?}} 
// CHECK: == realpath
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}realpath{{(_chk|_)?}} 
// CHECK: == readlink
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}readlink{{(_chk|_)?}} 
// CHECK: == getrusage
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}getrusage{{(_chk|_)?}} 
// CHECK: == uname
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}uname{{(_chk|_)?}} 
// CHECK: == poll
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}poll{{(_chk|_)?}} 
// CHECK: == fread
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}fread{{(_chk|_)?}} 
// CHECK: == fgets
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}fgets{{(_chk|_)?}} 
// CHECK: == fwrite
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}fwrite{{(_chk|_)?}} 
// CHECK: == fputs
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}fputs{{(_chk|_)?}} 
// CHECK: == getline
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{getline|__getdelim}} 
// CHECK: == inet_ntop
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}inet_ntop{{(_chk|_)?}} 
// CHECK: == inet_pton
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}inet_pton{{(_chk|_)?}} 
// CHECK: == getaddrinfo
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}getaddrinfo{{(_chk|_)?}} 
// CHECK: == gethostname
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}gethostname{{(_chk|_)?}} 
// CHECK: == strtok_r
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}strtok_r{{(_chk|_)?}} 
// CHECK: == strerror_r
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}strerror_r{{(_chk|_)?}} 
// CHECK: == getenv
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}getenv{{(_chk|_)?}} 
// CHECK: == rand_r
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}rand_r{{(_chk|_)?}} 
// CHECK: == mkstemp
// CHECK: {{^}}  Previous {{read|write}} of size
// CHECK-NEXT: {{^}}    #0 {{(__)?(isoc99_)?(xpg_)?}}mkstemp{{(_chk|_)?}} 

// mutex_misuse.c - pthread mutexes used wrongly are reported in ThreadSanitizer's words; what is only unusual is not.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
// RUN: echo 'mutex:unlock_other' > %t.supp
// RUN: %check_race --prefix=SUPPRESSED --options='suppressions=%t.supp' %s
// RUN: %check_norace --options='report_mutex_bugs=0 report_destroy_locked=0' %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"
#include <csp/csp.h>
#include <pthread.h>

static pthread_mutex_t never_locked = PTHREAD_MUTEX_INITIALIZER, of_main, destroyed;

static void *unlock_other(void *arg)
{
    pthread_mutex_unlock(arg); // line: other
    return NULL;
}

static void moving(void *arg)
{
    pthread_mutex_t *m = arg;
    pthread_mutex_lock(m);
    for (int i = 0; i < 50; i++)
        csp_yield(); // may go on elsewhere: the lock is the coroutine's
    pthread_mutex_unlock(m);
}

static void usual(void)
{
    pthread_mutex_t recursive, checking, plain = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&recursive, &attr);
    pthread_mutex_lock(&recursive);
    pthread_mutex_lock(&recursive);
    pthread_mutex_unlock(&recursive);
    pthread_mutex_unlock(&recursive);
    pthread_mutex_destroy(&recursive);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&checking, &attr);
    pthread_mutex_lock(&checking);
    pthread_mutex_lock(&checking); // EDEADLK: the program's own check
    pthread_mutex_unlock(&checking);
    pthread_mutex_destroy(&checking);
    csp_wg wg = {0};
    csp_wg_add(&wg, 1);
    csp_go(moving, &plain);
    csp_wg_done(&wg);
    csp_wg_wait(&wg);
    pthread_mutex_lock(&plain);
    pthread_mutex_unlock(&plain);
}

int main(void)
{
    pthread_t t;
    usual();
    pthread_mutex_unlock(&never_locked); // line: never
    pthread_mutex_init(&of_main, NULL); // line: init
    pthread_mutex_lock(&of_main); // line: lock
    pthread_create(&t, NULL, unlock_other, &of_main);
    pthread_join(t, NULL);
    pthread_mutex_init(&destroyed, NULL);
    pthread_mutex_lock(&destroyed); // line: taken
    pthread_mutex_destroy(&destroyed); // line: destroy
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: unlock of an unlocked mutex (or by a wrong thread) (pid=
// CHECK-NEXT: {{^}}    #0 pthread_mutex_unlock
// CHECK-NEXT: {{^}}    #1 main {{.*}}mutex_misuse.c:[[#never]]:
// CHECK: {{^}}  Mutex M0 'never_locked' (0x{{[0-9a-f]+}}) is static or was made unseen.
// CHECK: SUMMARY: CspThreadSanitizer: unlock of an unlocked mutex (or by a wrong thread) {{.*}}mutex_misuse.c:[[#never]]:5 in main
// CHECK: WARNING: CspThreadSanitizer: unlock of an unlocked mutex (or by a wrong thread) (pid=
// CHECK-NEXT: {{^}}    #0 pthread_mutex_unlock
// CHECK-NEXT: {{^}}    #1 unlock_other {{.*}}mutex_misuse.c:[[#other]]:
// CHECK: {{^}}  Mutex M1 'of_main' (0x{{[0-9a-f]+}}) created at:
// CHECK-NEXT: {{^}}    #0 pthread_mutex_init
// CHECK-NEXT: {{^}}    #1 main {{.*}}mutex_misuse.c:[[#init]]:
// CHECK: WARNING: CspThreadSanitizer: destroy of a locked mutex (pid=
// CHECK-NEXT: {{^}}    #0 pthread_mutex_destroy
// CHECK-NEXT: {{^}}    #1 main {{.*}}mutex_misuse.c:[[#destroy]]:
// CHECK: {{^}}  and:
// CHECK-NEXT: {{^}}    #0 pthread_mutex_lock
// CHECK-NEXT: {{^}}    #1 main {{.*}}mutex_misuse.c:[[#taken]]:
// CHECK: reported 3 warnings
// SUPPRESSED: reported 2 warnings

// threads_deadlock.c - threads that can never go on are a deadlock: what each waits for, who holds it, and the detector's exit status.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: not env CSPTHREAD_OPTIONS=schedule=random:seed=1:report_mutex_bugs=0 %t forgotten 2> %t.forgotten
// RUN: FileCheck --check-prefix=FORGOTTEN %s < %t.forgotten
// RUN: not env CSPTHREAD_OPTIONS=schedule=random:seed=1 %t semaphore 2> %t.semaphore
// RUN: FileCheck --check-prefix=SEMAPHORE %s < %t.semaphore
// RUN: not env CSPTHREAD_OPTIONS=schedule=random:seed=1 %t barrier 2> %t.barrier
// RUN: FileCheck --check-prefix=BARRIER %s < %t.barrier
// RUN: %python %S/Inputs/until.py --seeds=100 %t crosswise 2> %t.crosswise
// RUN: %python %S/Inputs/until.py --seeds=100 --options=exitcode=99 --status=99 %t crosswise 2> %t.crosswise
// RUN: FileCheck --check-prefix=CROSSWISE %s < %t.crosswise
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t three;
static sem_t never;

static void *forget(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    sem_wait(&never);
    return arg;
}

static void *take_in_turn(void *arg)
{
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

static void *arrive(void *arg)
{
    pthread_barrier_wait(&three);
    return arg;
}

// FORGOTTEN: WARNING: CspThreadSanitizer: deadlock
// FORGOTTEN: Main thread waits for mutex M{{[0-9]+}} 'a'
// FORGOTTEN: #0 main {{.*}}threads_deadlock.c
// FORGOTTEN: Thread T1 locked it at:
// FORGOTTEN: forget
// FORGOTTEN: Thread T1 waits for semaphore 'never', at:
// FORGOTTEN: SUMMARY: CspThreadSanitizer: deadlock
// SEMAPHORE: Main thread waits for semaphore 'never', at:
// SEMAPHORE: SUMMARY: CspThreadSanitizer: deadlock {{.*}} in main
// BARRIER: Main thread waits for barrier 'three', at:
// BARRIER: Thread T1 waits for barrier 'three', at:
// CROSSWISE: WARNING: CspThreadSanitizer: deadlock
// CROSSWISE: all threads wait for one another
int main(int argc, char **argv)
{
    pthread_t t;
    const char *what = argc > 1 ? argv[1] : "";
    sem_init(&never, 0, 0);
    pthread_barrier_init(&three, NULL, 3);
    if (!strcmp(what, "semaphore"))
        return sem_wait(&never);
    if (!strcmp(what, "barrier")) {
        pthread_create(&t, NULL, arrive, NULL);
        return pthread_barrier_wait(&three);
    }
    if (!strcmp(what, "forgotten")) {
        pthread_create(&t, NULL, forget, NULL);
        while (pthread_mutex_trylock(&a) == 0)
            pthread_mutex_unlock(&a);
        return pthread_mutex_lock(&a);
    }
    pthread_create(&t, NULL, take_in_turn, NULL);
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    pthread_join(t, NULL);
    return 0;
}

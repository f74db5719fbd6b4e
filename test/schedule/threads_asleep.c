// threads_asleep.c - coroutines and pthreads that all wait: the fatal error names also those who wait for a pthread mutex, and its holder.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: not env CSPTHREAD_OPTIONS=schedule=random:seed=1 %t 2> %t.err
// RUN: FileCheck %s < %t.err
// CHECK: fatal error: all coroutines are asleep - deadlock!
// CHECK: Who waits for whom:
// CHECK: thread T1 waits at {{.*}} for a send to the channel
// CHECK: main coroutine waits at {{.*}}threads_asleep.c:{{.*}} for mutex M0 'm' ({{.*}}), which thread T1 locked
#include <csp/csp.h>
#include <pthread.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static csp_chan *values;

static void *receive_locked(void *arg)
{
    int v;
    pthread_mutex_lock(&m);
    csp_recv(values, &v);
    pthread_mutex_unlock(&m);
    return arg;
}

int main(void)
{
    pthread_t t;
    int v = 1;
    values = csp_chan_new(sizeof v, 0);
    pthread_create(&t, NULL, receive_locked, NULL);
    csp_sleep(CSP_SECOND);
    pthread_mutex_lock(&m);
    csp_send(values, &v);
    pthread_mutex_unlock(&m);
    pthread_join(t, NULL);
    return 0;
}

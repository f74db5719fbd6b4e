// annotations.c - dynamic annotations and <sanitizer/tsan_interface.h> from its stock header: order, locks, benign races.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
// RUN: %check_norace --flags='-fsanitize=cspthread -g -DRIGHT' %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"
#include <pthread.h>
#include <sanitizer/tsan_interface.h>

void AnnotateHappensBefore(const char *file, int line, const volatile void *addr);
void AnnotateHappensAfter(const char *file, int line, const volatile void *addr);
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *addr, size_t size, const char *why);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
void AnnotateThreadName(const char *file, int line, const char *name);
void AnnotateRWLockCreate(const char *file, int line, const volatile void *lock);
void AnnotateRWLockAcquired(const char *file, int line, const volatile void *lock, long is_writer);
void AnnotateRWLockReleased(const char *file, int line, const volatile void *lock, long is_writer);
int RunningOnValgrind(void);

int by_annotation, by_interface, by_lock, by_own_lock, benign, ignored_write, ignored_read, racy;
static int own_lock_word;
static char sync_object, tsan_object, lock_object;

// A lock that the detector knows nothing about but what it is told; its own word is accessed without order.
static void own_lock(void)
{
    __tsan_mutex_pre_lock(&own_lock_word, 0);
    own_lock_word = 1;
    __tsan_mutex_post_lock(&own_lock_word, 0, 0);
}

static void own_unlock(void)
{
    __tsan_mutex_pre_unlock(&own_lock_word, 0);
    own_lock_word = 0;
    __tsan_mutex_post_unlock(&own_lock_word, 0);
}

static void *first(void *arg)
{
    (void)arg;
    AnnotateThreadName(__FILE__, __LINE__, "first one");
    by_annotation = 1;
    AnnotateHappensBefore(__FILE__, __LINE__, &sync_object);
    by_interface = 1;
    __tsan_release(&tsan_object);
    AnnotateRWLockAcquired(__FILE__, __LINE__, &lock_object, 1);
    by_lock = 1;
    AnnotateRWLockReleased(__FILE__, __LINE__, &lock_object, 1);
    own_lock();
    by_own_lock = 1;
    own_unlock();
    benign = 1;
    ignored_read = 1;
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    ignored_write = 1;
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
#ifndef RIGHT
    AnnotateRWLockAcquired(__FILE__, __LINE__, &lock_object, 1); // line: lock
    racy = 1; // line: first
    AnnotateRWLockReleased(__FILE__, __LINE__, &lock_object, 1);
#endif
    invisible_step();
    return NULL;
}

static void *second(void *arg)
{
    (void)arg;
    invisible_wait(1);
    racy++; // line: second
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    invisible_use(ignored_read);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    ignored_write = 2;
    benign = 2;
    own_lock();
    by_own_lock = 2;
    own_unlock();
    AnnotateHappensAfter(__FILE__, __LINE__, &sync_object);
    by_annotation = 2;
    __tsan_acquire(&tsan_object);
    by_interface = 2;
    AnnotateRWLockAcquired(__FILE__, __LINE__, &lock_object, 0);
    invisible_use(by_lock);
    AnnotateRWLockReleased(__FILE__, __LINE__, &lock_object, 0);
    return NULL;
}

int main(void)
{
    pthread_t a, b;
    AnnotateRWLockCreate(__FILE__, __LINE__, &lock_object);
    __tsan_mutex_create(&own_lock_word, __tsan_mutex_not_static);
    AnnotateBenignRaceSized(__FILE__, __LINE__, &benign, sizeof benign, "a counter");
    invisible_use(RunningOnValgrind());
    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    __tsan_mutex_destroy(&own_lock_word, 0);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T1 'first one' (mutexes: write M0):
// CHECK-NEXT: #0 first {{.*}}annotations.c:[[#first]]:
// CHECK: Location is global 'racy'
// CHECK: {{^}}  Mutex M0 'lock_object' (0x{{[0-9a-f]+}}) locked at:
// CHECK-NEXT: #0 AnnotateRWLockAcquired
// CHECK-NEXT: #1 first {{.*}}annotations.c:[[#lock]]:
// CHECK: reported 1 warnings

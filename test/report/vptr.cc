// vptr.cc - a constructor or destructor that sets the table of virtual functions while another thread calls one is called so.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --cc=%cspxx --procs=1 --status=66 %s
// RUN: %check --cc=%cspxx --procs=1 --silent --flags='-fsanitize=cspthread -g -DRIGHT' %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"

#include <pthread.h>

struct Base {
    __attribute__((noinline)) virtual void run()
    {
        invisible_use(1);
    }
    __attribute__((noinline)) virtual ~Base()
    {
        invisible_use(2);
    }
};
struct Derived : Base {
    void run() override
    {
        invisible_use(3);
    }
    __attribute__((noinline)) ~Derived() override
    {
        invisible_use(4);
    }
};

static Base *object;

static void *call(void *)
{
    object->run(); // line: call
    invisible_step();
    return nullptr;
}

int main()
{
    pthread_t t;
    object = new Derived;
    pthread_create(&t, nullptr, call, nullptr);
    invisible_wait(1);
#ifdef RIGHT
    pthread_join(t, nullptr);
#endif
    object->~Base();
#ifndef RIGHT
    pthread_join(t, nullptr);
#endif
    ::operator delete(static_cast<void *>(object));
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race on vptr (ctor/dtor vs virtual call) (pid=
// CHECK-NEXT: {{^}}  Write of size 8 at 0x{{[0-9a-f]+}} by main thread:
// CHECK: {{^}}  Previous read of size 8 at 0x{{[0-9a-f]+}} by thread T1:
// CHECK-NEXT: {{^}}    #0 call(void*) {{.*}}vptr.cc:[[#call]]
// CHECK: {{^}}  It is 'Derived._vptr$Base' (Derived), byte 0 of the block.
// CHECK: SUMMARY: CspThreadSanitizer: data race on vptr (ctor/dtor vs virtual call)

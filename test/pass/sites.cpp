// sites.cpp - call sites in C++: members, templates, lambdas, initializers; system headers have none.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clangxx -O0 -S -emit-llvm %s -o - | %python %S/Inputs/list_sites.py | FileCheck %s
// RUN: %race_clangxx -O2 -g -S -emit-llvm %s -o - | %python %S/Inputs/list_sites.py | FileCheck %s

#include <csp/csp.h>
#include <mutex>
#include <pthread.h>

CSP_CHAN_TYPE(ints, int)

// CHECK:      [[#@LINE+1]]:20 "global"
csp_chan *global = csp_chan_new(8, 9) /* before main */;

namespace n {
struct box {
    // CHECK-NEXT: [[#@LINE+1]]:20 "ch"
    csp_chan *ch = csp_chan_new(4, 1);
    // CHECK-NEXT: [[#@LINE+1]]:23 "ch"
    void put(int v) { csp_send(ch, &v); }
    // CHECK-NEXT: [[#@LINE+1]]:44 "this->ch"
    template <class T> void put_any(T v) { csp_send(this->ch, &v); }
    // CHECK-NEXT: [[#@LINE+1]]:14 "ch"
    ~box() { csp_close(ch); }
};
} // namespace n

// One place, however often it is instantiated.
template <class T> bool take(csp_chan *from, T &v)
{
    // CHECK-NEXT: [[#@LINE+1]]:12 "from"
    return csp_recv(from, &v);
}

extern "C" void work(void *);

int main()
{
    n::box b;
    b.put(1);
    b.put_any(2.0);
    long l;
    short s;
    take(global, l);
    take(global, s);
    // CHECK-NEXT: [[#@LINE+2]]:5 ""
    // CHECK-NEXT: [[#@LINE+1]]:26 "p"
    csp_go([](void *p) { csp_close(static_cast<csp_chan *>(p)); }, global);
    // CHECK-NEXT: [[#@LINE+1]]:5 "work"
    csp_go(work, nullptr);
    std::mutex m;
    m.lock();
    try {
        // CHECK-NEXT: [[#@LINE+1]]:9 "global"
        csp_send(global, &l);
    } catch (int) {
    }
    // CHECK-NEXT: [[#@LINE+1]]:16 "made"
    auto *made{csp_chan_new(1, 1)};
    // CHECK-NEXT: [[#@LINE+1]]:5 "made"
    csp_chan_free(made);
    // CHECK-NEXT: [[#@LINE+1]]:18 "typed"
    ints typed = ints_new(3);
    // CHECK-NEXT: [[#@LINE+1]]:5 "typed"
    ints_send(typed, 3);
}
// CHECK-NEXT: end

// cxx_shared_ptr_norace.cc - libstdc++ counts references atomically although coroutines run on one OS thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -fsanitize=cspthread -g -O0 %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
// RUN: %cspxx -fsanitize=cspthread -g -O2 %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
// RUN: env CSP_MAXPROCS=1 %t 2> %t.err
// RUN: count 0 < %t.err
#include <csp/csp.h>
#include <memory>
#include <string>

static csp_wg wg;

static void work(void *arg)
{
    auto *mine = static_cast<std::shared_ptr<std::string> *>(arg);
    for (int i = 0; i < 50; i++) {
        std::shared_ptr<std::string> copy = *mine;
        csp_yield();
    }
    delete mine;
    csp_wg_done(&wg);
}

int main()
{
    auto text = std::make_shared<std::string>("hello");
    csp_wg_add(&wg, 10);
    for (int i = 0; i < 10; i++)
        csp_go(work, new std::shared_ptr<std::string>(text));
    text.reset();
    csp_wg_wait(&wg);
    return 0;
}

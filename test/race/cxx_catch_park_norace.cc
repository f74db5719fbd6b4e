// cxx_catch_park_norace.cc - a coroutine that parks in a catch clause or a destructor keeps its exceptions.
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
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

static csp_wg wg;

struct parks_at_end {
    ~parks_at_end()
    {
        if (std::uncaught_exceptions() != 1)
            std::abort();
        csp_yield();
        if (std::uncaught_exceptions() != 1)
            std::abort();
    }
};

static void raise(const std::string &text)
{
    parks_at_end guard;
    csp_yield();
    throw std::runtime_error(text);
}

static void work(void *arg)
{
    const std::string text = "coroutine " + std::to_string(*static_cast<int *>(arg));
    for (int i = 0; i < 20; i++) {
        try {
            raise(text);
        } catch (const std::exception &e) {
            csp_yield();
            try {
                throw;
            } catch (const std::runtime_error &again) {
                csp_yield();
                if (text != e.what() || text != again.what())
                    std::abort();
            }
        }
    }
    csp_wg_done(&wg);
}

int main()
{
    int ids[8];
    csp_wg_add(&wg, 8);
    for (int i = 0; i < 8; i++) {
        ids[i] = i;
        csp_go(work, &ids[i]);
    }
    csp_wg_wait(&wg);
    return 0;
}

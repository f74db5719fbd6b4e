// cxx_exception_norace.cc - an exception that threads share is destroyed by whoever lets go of it last, after the others.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -fsanitize=cspthread -g -O0 %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
// RUN: %cspxx -fsanitize=cspthread -g -O2 %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
// RUN: env CSP_MAXPROCS=1 %t 2> %t.err
// RUN: count 0 < %t.err
// RUN: %cspxx -fsanitize=cspthread -g -O1 -static-libstdc++ %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>

struct error {
    std::string text = "a text that is too long to be kept inside the string";
};

// Before or after the others, by the clock alone.
static void wait_ms(int ms)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

static void look(std::exception_ptr held, int before_ms, int after_ms)
{
    wait_ms(before_ms);
    try {
        std::rethrow_exception(held);
    } catch (const error &e) {
        if (e.text.empty())
            std::abort();
    }
    wait_ms(after_ms);
}

static std::exception_ptr make()
{
    try {
        throw error();
    } catch (...) {
        return std::current_exception();
    }
}

int main()
{
    std::exception_ptr held = make();
    std::thread early(look, held, 0, 0);
    wait_ms(30);
    held = nullptr; // here it is destroyed
    early.join();

    held = make();
    std::thread late(look, std::move(held), 30, 0); // and here in the thread
    late.join();
    held = make();
    std::thread later(look, held, 30, 0);
    try {
        std::rethrow_exception(std::move(held));
    } catch (const error &e) {
        if (e.text.empty())
            std::abort();
    }
    later.join();
    return 0;
}

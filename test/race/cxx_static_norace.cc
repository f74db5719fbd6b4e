// cxx_static_norace.cc - a function-local static is initialised once, and that is ordered before every use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -fsanitize=cspthread -g -O0 %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
// RUN: %cspxx -fsanitize=cspthread -g -O2 %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
// RUN: %cspxx -fsanitize=cspthread -g -O1 -static-libstdc++ %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
#include <map>
#include <string>
#include <thread>
#include <vector>

static std::map<std::string, int> make_table()
{
    std::map<std::string, int> table;
    for (int i = 0; i < 50; i++)
        table[std::to_string(i)] = i;
    return table;
}

static int look_up(int i)
{
    static const std::map<std::string, int> table = make_table();
    return table.at(std::to_string(i));
}

int main()
{
    std::vector<std::thread> threads;
    std::vector<int> found(8);
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&found, i] { found[i] = look_up(i); });
    for (auto &t : threads)
        t.join();
    for (int i = 0; i < 8; i++)
        if (found[i] != i)
            return 1;
    return 0;
}

// large_library.c - a library with much static memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
enum { SIZE = 100 << 20, STEP = 64 << 10 };
static _Alignas(STEP) volatile char table[SIZE];

void fill_table(void)
{
    for (int i = 0; i < SIZE; i += STEP)
        table[i] = 1;
}

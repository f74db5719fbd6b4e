// tls_library.c - thread-locals of a library that is loaded by dlopen.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
static __thread int counter;
static __thread char table[5000];

int *tls_counter(void)
{
    return &counter;
}

void tls_use(int i)
{
    table[i % 5000]++;
    counter++;
}

// library.c - an instrumented shared library: its accesses are checked against those of the program that loads it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
int library_value;

int library_touch(int a, int b, int c, int d, int e, int f)
{
    library_value = a; // line: touch
    return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f;
}

// lazy-plt-lib.c - the shared half of lazy-plt.c: keeps many values in registers across the first checks of the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
long mix(long *p, long a, long b, long c, long d, long e)
{
    long f = a * 3 + b, g = b * 5 + c, h = c * 7 + d, i = d * 11 + e, j = e * 13 + a;
    p[0] = f;
    p[1] = g + p[0];
    p[2] = h + p[1];
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + p[2];
}

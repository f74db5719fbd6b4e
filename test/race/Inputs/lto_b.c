// lto_b.c - the other half.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
int value;

void touch(void)
{
    value = 1;
}

// first.c - RACE: two coroutines add to one int; the ten-line program of the README.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

int counter;
csp_wg wg;

void add(void *n) { counter += *(int *)n; csp_wg_done(&wg); }

int main(void) {
    csp_wg_add(&wg, 2);
    csp_go(add, &(int){1});
    csp_go(add, &(int){2});
    csp_wg_wait(&wg);
    return counter != 3;
}

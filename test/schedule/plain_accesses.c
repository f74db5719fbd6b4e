// plain_accesses.c - with schedule_points=all an update of a plain variable is lost in some schedules; else in none.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is kept in vector registers over a check is not: a switch is a call like any other.
// RUN: %cspcc -fsanitize=cspthread -g -O2 %s -o %t -lm
// RUN: %python %S/Inputs/seeds.py --seeds=40 --seen=1 --seen=2 --only --options=schedule=random:schedule_points=all:report_bugs=0 %t
// RUN: %python %S/Inputs/seeds.py --seeds=20 --seen=2 --only --options=schedule=random:report_bugs=0 %t
// RUN: %python %S/Inputs/seeds.py --seeds=3 --again=4 --options=schedule=pct:schedule_points=all:report_bugs=0 %t
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>

enum { N = 16 };

static int updates;
static csp_wg wg;

static double add_up(const double *a)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        sum += a[i * 7 % N] * 0.5;
        squares += a[i] * a[i];
    }
    return sum + squares;
}

static void update(void *array)
{
    double before = add_up(array);
    int old = updates;
    if (add_up(array) != before)
        abort();
    updates = old + 1;
    csp_wg_done(&wg);
}

int main(void)
{
    static double a[N], b[N];
    for (int i = 0; i < N; i++) {
        a[i] = i;
        b[i] = 100 - i;
    }
    csp_wg_add(&wg, 2);
    csp_go(update, a);
    csp_go(update, b);
    csp_wg_wait(&wg);
    printf("%d\n", updates);
}

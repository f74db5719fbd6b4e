// orders.c - the order in which coroutines go on is the seed's: all there are come up, each again with its seed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/seeds.py --seeds=60 --seen=abc --seen=acb --seen=bac --seen=bca --seen=cab --seen=cba --only %t
// RUN: %python %S/Inputs/seeds.py --seeds=5 --again=4 %t
// RUN: %python %S/Inputs/seeds.py --seeds=12 --distinct=3 --options=schedule=pct %t
// RUN: %python %S/Inputs/seeds.py --seeds=12 --distinct=3 --options=schedule=pos %t
// RUN: %python %S/Inputs/seeds.py --seeds=12 --distinct=3 --options=schedule=urw %t
// RUN: %python %S/Inputs/seeds.py --seeds=24 --distinct=3 --options=schedule=portfolio %t
#include <csp/csp.h>

#include <stdio.h>

static csp_mutex m;
static csp_wg wg;

static void say(void *letter)
{
    csp_mutex_lock(&m);
    putchar(*(char *)letter);
    csp_mutex_unlock(&m);
    csp_wg_done(&wg);
}

int main(void)
{
    static char letters[] = "abc";
    csp_wg_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        csp_go(say, &letters[i]);
    csp_wg_wait(&wg);
}

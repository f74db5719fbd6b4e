// hello.c - start a coroutine: csp_go runs a function beside the one that called it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two flows say their word three times each. Which of the two comes first is nobody's promise. When main returns the
// program ends, whether or not the other coroutine had finished: main sleeps a little longer so that it usually has.
#include <csp/csp.h>

#include <stdio.h>

static void say(void *word)
{
    for (int i = 0; i < 3; i++) {
        csp_sleep(10 * CSP_MS);
        printf("%s\n", (const char *)word);
    }
}

int main(void)
{
    csp_go(say, "world");
    say("hello");
    csp_sleep(10 * CSP_MS);
    return 0;
}

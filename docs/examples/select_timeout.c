// select_timeout.c - waiting, but not for ever: csp_case_after is a case that becomes ready after a time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

#include <stdio.h>

static void answer_slowly(void *arg)
{
    csp_chan *answers = arg;
    int answer = 42;
    csp_sleep(200 * CSP_MS);
    csp_send(answers, &answer);
}

int main(void)
{
    // Room for one: the answer then finds a place even while nobody is waiting for it.
    csp_chan *answers = csp_chan_new(sizeof(int), 1);
    csp_go(answer_slowly, answers);

    for (;;) {
        int answer;
        switch (CSP_SELECT(csp_case_recv(answers, &answer, NULL), csp_case_after(50 * CSP_MS))) {
        case 0:
            printf("answer %d\n", answer);
            csp_chan_free(answers);
            return 0;
        case 1:
            printf("still waiting\n");
            break;
        }
    }
}

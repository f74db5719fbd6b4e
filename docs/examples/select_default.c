// select_default.c - looking without waiting: csp_try_select returns -1 when no case is ready.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

#include <stdio.h>

static void look(csp_chan *messages)
{
    const char *message;
    csp_case cases[] = {csp_case_recv(messages, &message, NULL)};
    if (csp_try_select(cases, 1) == 0)
        printf("received %s\n", message);
    else
        printf("no message\n");
}

int main(void)
{
    csp_chan *messages = csp_chan_new(sizeof(const char *), 1);
    look(messages);

    const char *message = "hi";
    if (csp_try_send(messages, &message))
        printf("sent %s\n", message);
    if (!csp_try_send(messages, &message))
        printf("no room for another\n");
    look(messages);
    csp_chan_free(messages);
    return 0;
}

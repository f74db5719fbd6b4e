// select.c - csp_select waits for whichever of several channels is ready first.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One coroutine produces the Fibonacci numbers for as long as somebody takes them, and stops when told to quit: it waits
// for both at once. csp_select returns the number of the case that happened.
#include <csp/csp.h>

#include <stdio.h>

typedef struct wires {
    csp_chan *numbers;
    csp_chan *quit;
} wires;

static void take_ten(void *arg)
{
    wires *w = arg;
    for (int i = 0; i < 10; i++) {
        int n;
        csp_recv(w->numbers, &n);
        printf("%d\n", n);
    }
    csp_send(w->quit, NULL);
}

static void fibonacci(wires *w)
{
    int x = 0, y = 1;
    for (;;) {
        switch (CSP_SELECT(csp_case_send(w->numbers, &x), csp_case_recv(w->quit, NULL, NULL))) {
        case 0: {
            int next = x + y;
            x = y;
            y = next;
            break;
        }
        case 1:
            printf("quit\n");
            return;
        }
    }
}

int main(void)
{
    // An element size of 0 makes a channel that carries nothing but the event itself.
    wires w = {csp_chan_new(sizeof(int), 0), csp_chan_new(0, 0)};
    csp_go(take_ten, &w);
    fibonacci(&w);
    csp_chan_free(w.numbers);
    csp_chan_free(w.quit);
    return 0;
}

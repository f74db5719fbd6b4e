// select_two.c - receiving from two channels, in the order in which values arrive.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

#include <stdio.h>

typedef struct post {
    csp_chan *to;
    const char *text;
    int64_t delay_ns;
} post;

static void deliver(void *arg)
{
    const post *p = arg;
    csp_sleep(p->delay_ns);
    csp_send(p->to, &p->text);
}

int main(void)
{
    csp_chan *letters = csp_chan_new(sizeof(const char *), 0);
    csp_chan *parcels = csp_chan_new(sizeof(const char *), 0);
    post letter = {letters, "one", 10 * CSP_MS};
    post parcel = {parcels, "two", 20 * CSP_MS};
    csp_go(deliver, &letter);
    csp_go(deliver, &parcel);

    for (int i = 0; i < 2; i++) {
        const char *text;
        switch (CSP_SELECT(csp_case_recv(letters, &text, NULL), csp_case_recv(parcels, &text, NULL))) {
        case 0:
            printf("letter %s\n", text);
            break;
        case 1:
            printf("parcel %s\n", text);
            break;
        }
    }
    csp_chan_free(letters);
    csp_chan_free(parcels);
    return 0;
}

// lsan.c - under stock AddressSanitizer: what only a parked coroutine's frames lead to is no leak; what one lost is reported.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arguments: none, or "loses"; then "exits" ends the process from within a coroutine.
#include <csp/csp.h>

#include <stdlib.h>
#include <string.h>

static csp_chan *gate;
static csp_wg started;
static bool exits;

static void holds(void *block)
{
    void *volatile mine = block; // leads there while it is parked, nothing else does
    csp_label_set("holds", "a block");
    csp_wg_done(&started);
    csp_recv(gate, NULL);
    free(mine);
}

static void loses(void *unused)
{
    (void)unused;
    char *volatile block = malloc(77);
    block[0] = 1;
    block = NULL;
    csp_wg_done(&started);
}

static void ends(void *block)
{
    void *volatile mine = block;
    if (exits)
        exit(0);
    free(mine);
    csp_wg_done(&started);
}

int main(int argc, char **argv)
{
    gate = csp_chan_new(0, 0);
    for (int i = 1; i < argc; i++)
        exits |= !strcmp(argv[i], "exits");
    csp_wg_add(&started, 4);
    for (int i = 0; i < 3; i++)
        if (argc > 1 && !strcmp(argv[1], "loses"))
            csp_go(loses, NULL);
        else
            csp_go(holds, calloc(1, 55));
    csp_go(ends, malloc(33));
    csp_wg_wait(&started);
    return 0;
}

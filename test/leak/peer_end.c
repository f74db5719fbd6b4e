// peer_end.c - how those ended who should have come, what the counter of a wait group is, and no word about a missing peer where there was one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --levels=O1,O2 --status=66 --args=exit --prefix=EXIT %s
// RUN: %check --levels=O1,O2 --status=66 --args=return --prefix=RETURN %s
// RUN: %check --levels=O1,O2 --status=66 --args=sent --prefix=SENT %s
// RUN: %check --levels=O1,O2 --status=66 --args=group --prefix=GROUP %s
// RUN: %check --levels=O1,O2 --silent --args=none %s
#include <csp/csp.h>

#include <string.h>

static csp_chan *kept, *over;
static csp_wg group;
static const char *what;

static void receiver(void *ch)
{
    csp_recv(ch, NULL); // line: receive
}

static void waiter(void *unused)
{
    (void)unused;
    csp_wg_wait(&group);
}

__attribute__((noinline)) static void give_up(void)
{
    csp_exit(); // line: exit
}

static void maker(void *unused)
{
    (void)unused;
    kept = csp_chan_new(0, 0);
    csp_go(receiver, kept);
    if (!strcmp(what, "exit")) {
        csp_close(over);
        give_up();
    }
    if (!strcmp(what, "none"))
        csp_close(kept);
    csp_close(over);
}

// Each takes over what the detector kept of the one before.
static void sender(void *unused)
{
    (void)unused;
    csp_send(kept, NULL);
    csp_close(over);
}

static void receive_many(void *unused)
{
    (void)unused;
    while (csp_recv(kept, NULL)) // line: many
        ;
}

static void run(void (*fn)(void *))
{
    over = csp_chan_new(0, 0);
    csp_go(fn, NULL);
    csp_recv(over, NULL);
}

static void receive_one(void *unused)
{
    (void)unused;
    csp_try_recv(kept, NULL);
    csp_close(over);
}

int main(int argc, char **argv)
{
    what = argv[argc - 1];
    if (!strcmp(what, "group")) {
        csp_wg_add(&group, 3);
        csp_go(waiter, NULL);
        csp_wg_done(&group);
    } else if (!strcmp(what, "sent")) {
        kept = csp_chan_new(0, 1);
        csp_go(receive_many, NULL);
        run(sender);
        for (int i = 0; i < 20; i++) // 20 more users, who come later than the one that sent
            run(receive_one);
    } else {
        run(maker);
    }
    return 0;
}

// EXIT: is parked in chan receive
// EXIT: nobody has ever sent to it
// EXIT-NEXT: it was made by coroutine 2 (`fn`, started at {{.*}}peer_end.c{{.*}}); it has ended by csp_exit at {{.*}}peer_end.c:[[#exit]]:{{[0-9]+}} without sending or closing
// RETURN: is parked in chan receive
// RETURN: it was made by coroutine 2 (`fn`, started at {{.*}}); it has returned from maker without sending or closing
// SENT: receive_many {{.*}}peer_end.c:[[#many]]
// SENT-NOT: nobody has ever
// SENT-NOT: it was made by
// SENT: SUMMARY
// GROUP: waiting for
// GROUP-NEXT: the counter is 2
// GROUP-NEXT: hint: each csp_wg_add needs its csp_wg_done

// planted.c - one mistake of each class, chosen by the first argument: what `csp selftest` plants and wants to see reported.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nothing here depends on the schedule: the order is that of channels, or of relaxed atomics, which order nothing.
#include <csp/csp.h>
#include <stdio.h>
#include <string.h>

static csp_mutex a, b;
static int turn;
static int counter;
static csp_chan *global;

static void wait_for_turn(int mine)
{
    while (__atomic_load_n(&turn, __ATOMIC_RELAXED) != mine)
        csp_yield();
}

static void give_turn(int next)
{
    __atomic_store_n(&turn, next, __ATOMIC_RELAXED);
}

// --- race ------------------------------------------------------------------------------------------------------------------

static void count_up(void *arg)
{
    (void)arg;
    counter++;
    give_turn(1);
}

static void race(void)
{
    csp_go(count_up, NULL);
    wait_for_turn(1);
    counter++;
}

// --- leaks -----------------------------------------------------------------------------------------------------------------

static void receive(void *ch)
{
    csp_recv(ch, NULL);
}

static void stuck(void)
{
    csp_go(receive, csp_chan_new(0, 0)); // nobody else knows the channel
    csp_yield();
}

static void orphaned(void)
{
    global = csp_chan_new(0, 0);
    csp_go(receive, global);
    csp_yield();
}

static void sleep_a_little(void *arg)
{
    (void)arg;
    csp_sleep(CSP_MS);
}

// Will end by itself: no leak.
static void late(void)
{
    csp_go(sleep_a_little, NULL);
    csp_yield();
}

// --- deadlocks ---------------------------------------------------------------------------------------------------------------

static void a_then_b(void *meet)
{
    csp_mutex_lock(&a);
    if (meet)
        csp_send(meet, NULL);
    csp_mutex_lock(&b);
    csp_mutex_unlock(&b);
    csp_mutex_unlock(&a);
    give_turn(1);
}

static void b_then_a(void *meet)
{
    if (!meet)
        wait_for_turn(1);
    csp_mutex_lock(&b);
    if (meet)
        csp_recv(meet, NULL);
    csp_mutex_lock(&a);
    csp_mutex_unlock(&a);
    csp_mutex_unlock(&b);
    give_turn(2);
}

static void deadlock(void)
{
    csp_chan *meet = csp_chan_new(0, 0);
    csp_go(a_then_b, meet);
    csp_go(b_then_a, meet);
    csp_yield();
}

static void inversion(void)
{
    csp_go(a_then_b, NULL);
    csp_go(b_then_a, NULL);
    wait_for_turn(2);
}

static void all_asleep(void)
{
    csp_recv(csp_chan_new(0, 0), NULL);
}

// --- nothing wrong ---------------------------------------------------------------------------------------------------------------

static void count_and_send(void *ch)
{
    csp_mutex_lock(&a);
    counter++;
    csp_mutex_unlock(&a);
    csp_send(ch, NULL);
}

static void nothing(void)
{
    csp_chan *ch = csp_chan_new(0, 0);
    csp_go(count_and_send, ch);
    csp_recv(ch, NULL);
    counter++;
    csp_chan_free(ch);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*plant)(void);
    } all[] = {{"race", race},         {"stuck", stuck},         {"orphaned", orphaned},     {"late", late},
               {"deadlock", deadlock}, {"inversion", inversion}, {"all-asleep", all_asleep}, {"nothing", nothing}};
    for (size_t i = 0; argc == 2 && i < sizeof all / sizeof *all; i++)
        if (!strcmp(argv[1], all[i].name)) {
            all[i].plant();
            return 0;
        }
    fprintf(stderr, "usage: planted CLASS\n");
    return 64;
}

// ab_ba.c - two transfers take the same two permits in opposite orders.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: each holds one and waits for the other's. (Semaphores: the detector knows the order of locks without meeting
// the deadlock.)
// Order: A takes x, B takes y, each wants the other.
// Depth: 2. Shows as: asleep.
// Source: AB-BA; cockroach#10214 and kubernetes#13135 in GoKer (GoBench, CGO 2021); SCTBench deadlock01.
#include <csp/csp.h>

typedef struct account {
    csp_sem permit;
    int balance;
} account;

static account x = {.balance = 10}, y = {.balance = 10};
static csp_wg both;

static void transfer(account *from, account *to, int amount)
{
    account *first = from, *second = to;
#ifdef FIXED
    if (first > second) {
        first = to;
        second = from;
    }
#endif
    csp_sem_acquire(&first->permit, 1);
    csp_sem_acquire(&second->permit, 1);
    from->balance -= amount;
    to->balance += amount;
    csp_sem_release(&second->permit, 1);
    csp_sem_release(&first->permit, 1);
    csp_wg_done(&both);
}

int main(void)
{
    csp_sem_init(&x.permit, 1);
    csp_sem_init(&y.permit, 1);
    csp_wg_add(&both, 2);
    CSP_GO(transfer, &x, &y, 1);
    CSP_GO(transfer, &y, &x, 2);
    csp_wg_wait(&both);
    return 0;
}

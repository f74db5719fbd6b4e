// opposite_locks_fixed.c - one order for all: here by address.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdio.h>

typedef struct account {
    csp_mutex lock;
    int balance;
} account;

static account x = {.balance = 10}, y = {.balance = 10};

static void transfer(account *from, account *to, int amount)
{
    account *first = from < to ? from : to, *second = from < to ? to : from;
    csp_mutex_lock(&first->lock);
    csp_mutex_lock(&second->lock);
    from->balance -= amount;
    to->balance += amount;
    csp_mutex_unlock(&to->lock);
    csp_mutex_unlock(&from->lock);
}

static void forth(void *arg)
{
    (void)arg;
    transfer(&x, &y, 1);
}

static void back(void *arg)
{
    (void)arg;
    transfer(&y, &x, 2);
}

int main(void)
{
    csp_go(forth, NULL);
    csp_go(back, NULL);
    printf("started\n");
    return 0;
}

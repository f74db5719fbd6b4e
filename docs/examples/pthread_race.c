// pthread_race.c - RACE: the checker also understands plain POSIX threads; no coroutine in sight.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two threads withdraw from one account. Fixed in pthread_mutex.c.
#include <pthread.h>
#include <stdio.h>

static int balance = 100;

static void *withdraw(void *amount)
{
    balance -= *(int *)amount;
    return NULL;
}

int main(void)
{
    int rent = 30, food = 20;
    pthread_t first, second;
    pthread_create(&first, NULL, withdraw, &rent);
    pthread_create(&second, NULL, withdraw, &food);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    printf("balance %d\n", balance);
    return 0;
}

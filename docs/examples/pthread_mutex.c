// pthread_mutex.c - the account of pthread_race.c, put right with a mutex.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// pthread_join orders what a thread did before what its joiner does next, so main may read the balance at the end.
#include <pthread.h>
#include <stdio.h>

static int balance = 100;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // guards balance

static void *withdraw(void *amount)
{
    pthread_mutex_lock(&lock);
    balance -= *(int *)amount;
    pthread_mutex_unlock(&lock);
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

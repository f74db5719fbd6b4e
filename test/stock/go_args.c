// go_args.c - CSP_GO passes arguments of every class as a call would: registers, vector registers, stack, structures.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(x)                                                                                                       \
    do {                                                                                                               \
        if (!(x)) {                                                                                                    \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #x);                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

struct small {
    int a;
    double b;
};
struct big {
    long words[5];
};

static csp_wg done;
static int calls; // atomic

static void none(void)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
    csp_wg_done(&done);
}

static void converted(long wide, double real, const char *text, unsigned char narrow)
{
    CHECK(wide == -3 && real == 7.0 && strcmp(text, "text") == 0 && narrow == 0x34);
    __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
    csp_wg_done(&done);
}

static void structures(struct small s, struct big b, struct small *p, float f)
{
    CHECK(s.a == 1 && s.b == 2.5 && f == 0.5f && p == NULL);
    for (int i = 0; i < 5; i++)
        CHECK(b.words[i] == 100 + i);
    csp_yield(); // others use the stack it came from
    CHECK(b.words[4] == 104);
    __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
    csp_wg_done(&done);
}

static void eight(int a, long b, char c, short d, int *e, unsigned f, long long g, int h)
{
    CHECK(a == 1 && b == 2 && c == 3 && d == 4 && *e == 5 && f == 6 && g == 7 && h == -8);
    __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
    csp_wg_done(&done);
}

static void reals(double a, float b, long double c, double d, int e, double f, float g, double h)
{
    CHECK(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8);
    __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
    csp_wg_done(&done);
}

static int evaluated(void)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
    CSP_GO(none); // a start among the arguments of another
    csp_yield();
    return 1;
}

static void one(int a)
{
    CHECK(a == 1);
    csp_wg_done(&done);
}

#if defined(__BLOCKS__)
static void start_three(int by_value)
{
    __block int shared = by_value;
    int (^inner)(void) = ^{
      return __atomic_add_fetch(&shared, 1, __ATOMIC_SEQ_CST);
    };
    csp_wg_add(&done, 3);
    for (int i = 0; i < 3; i++)
        csp_go_block(^{
          int n = inner(); // a block in a block, and a variable of a function that has returned
          CHECK(i < 3 && by_value == 40);
          if (n == 43)
              __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
          csp_wg_done(&done);
        });
}

static void blocks(void)
{
    csp_wg_add(&done, 1);
    csp_go_block(^{
      __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
      csp_wg_done(&done);
    });
    csp_wg_wait(&done);
    __atomic_store_n(&calls, 0, __ATOMIC_SEQ_CST);
    start_three(40);
    csp_wg_wait(&done);
    CHECK(__atomic_load_n(&calls, __ATOMIC_SEQ_CST) == 1); // one of the three was the last to add
}
#endif

int main(void)
{
    int five = 5;
    struct big b = {{100, 101, 102, 103, 104}};
    void (*pointer)(void) = none;
    csp_wg_add(&done, 6);
    CSP_GO(none);
    CSP_GO(pointer);
    CSP_GO(converted, -3, 7, "text", 0x1234);
    CSP_GO(structures, ((struct small){1, 2.5}), b, NULL, 0.5);
    CSP_GO(eight, 1, 2, 3, 4, &five, 6, 7, -8);
    CSP_GO(reals, 1.0, 2.0f, 3.0L, 4, 5, 6, 7, 8.0);
    csp_wg_wait(&done);
    CHECK(__atomic_load_n(&calls, __ATOMIC_SEQ_CST) == 6);
    csp_wg_add(&done, 2);
    CSP_GO(one, evaluated());
    csp_wg_wait(&done);
    CHECK(__atomic_load_n(&calls, __ATOMIC_SEQ_CST) == 8);
#if defined(__BLOCKS__)
    blocks();
#endif
    puts("ok");
    return 0;
}

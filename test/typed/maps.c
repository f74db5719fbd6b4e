// maps.c - typed maps in C, with clang, gcc and the sanitizer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --levels=O0,O2 --silent %s
// RUN: %check_plain --levels=O0,O2 %s
// RUN: %if gcc %{ %check_plain_gcc --levels=O0,O2 %s %}
#include <csp/csp.h>

#include <stdio.h>

struct point {
    int x, y;
};
CSP_MAP_TYPE(ages, const char *, int)
CSP_MAP_TYPE(grid, struct point, double)
CSP_SYNCMAP_TYPE(hits, unsigned char, long)

static bool print(unsigned char key, long *value, void *arg)
{
    (void)arg;
    printf("%d: %ld\n", key, *value);
    return true;
}

int main(void)
{
    ages m = ages_new();
    char name[] = "ada";
    ages_set(m, name, 36);
    name[0] = 'i';
    (*ages_ensure(m, name))++;
    int age, *at;
    bool found = ages_get(m, "ada", &age);
    printf("%d %d", found, age); // OUT: {{^}}1 36 0 0 1{{$}}
    found = ages_get(m, "bob", &age);
    printf(" %d %d %d\n", found, age, *ages_at(m, "ida"));
    ages_delete(m, "ada");
    const char *key;
    for (ages_iter it = ages_each(m); ages_next(&it, &key, &at);)
        printf("%s is %d\n", key, *at); // OUT-NEXT: ida is 1
    ages_free(m);

    grid g = grid_new();
    grid_set(g, (struct point){1, 2}, 1.5);
    double d;
    found = grid_get(g, (struct point){1, 2}, &d);
    printf("%d %.1f\n", found, d); // OUT-NEXT: 1 1.5
    grid_free(g);

    hits h = hits_new();
    hits_store(h, 200, 7);
    hits_range(h, print, NULL); // OUT-NEXT: 200: 7
    hits_free(h);
    return 0;
}

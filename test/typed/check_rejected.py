# check_rejected.py - typed channels, maps, groups, starts: what must compile does, mistakes are errors by default, in C and C++.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: check_rejected.py INCLUDE_DIR --c=COMPILER|--cxx=COMPILER
# Each mistake stands in the same program as its correct twin, so a rejection cannot come from anything else.

import argparse
import subprocess
import sys

PRELUDE = """
#include <csp/csp.h>
struct point { int x, y; };
CSP_CHAN_TYPE(ints, int)
CSP_CHAN_TYPE(strs, const char *)
CSP_CHAN_TYPE(points, struct point)
CSP_MAP_TYPE(ages, const char *, int)
CSP_MAP_TYPE(grid, struct point, double)
CSP_SYNCMAP_TYPE(users, const char *, struct point)
CSP_SYNCMAP_TYPE(hits, int, long)
int fetch(csp_ctx *ctx, void *arg);
void fetch_nothing(csp_ctx *ctx, void *arg);
void work(int a, struct point b, const char *c);
bool visit(const char *key, struct point *value, void *arg);
bool count(int key, long *value, void *arg);
void takes(int *at, long n);
void takes_struct(struct point);
void wants_tx(ints_tx);
void wants_rx(ints_rx);
void wants_both(ints);
void f(ints c, ints_tx tx, ints_rx rx, strs s, points p, csp_chan *raw, const char *text, struct point at,
       ages m, grid g, users u, hits h, csp_map *raw_map, csp_group *group, csp_ctx *ctx)
{
    ages_iter it = ages_each(m); grid_iter git = grid_each(g); const char *key = 0; int *vp = 0; double *dp = 0; long l = 0;
    (void)it, (void)git, (void)key, (void)vp, (void)dp, (void)l, (void)m, (void)g, (void)u, (void)h, (void)raw_map, (void)group, (void)ctx;
    int v = 0; double d = 0; bool ok = false;
    (void)v, (void)d, (void)ok;
    (void)c, (void)tx, (void)rx, (void)s, (void)p, (void)raw, (void)text, (void)at;
    %s
}
"""

# (what is checked, what must compile, what must not)
CASES = [
    ("send to a receive-only channel", "ints_send(tx, 1);", "ints_send(rx, 1);"),
    ("try_send to a receive-only channel", "ints_try_send(tx, 1);", "ints_try_send(rx, 1);"),
    ("close of a receive-only channel", "ints_close(tx);", "ints_close(rx);"),
    ("receive from a send-only channel", "ints_recv(rx, &v);", "ints_recv(tx, &v);"),
    ("try_recv from a send-only channel", "ints_try_recv(rx, &v);", "ints_try_recv(tx, &v);"),
    ("range over a send-only channel", "CSP_RANGE(v, rx) {}", "CSP_RANGE(v, tx) {}"),
    ("a send case on a receive-only channel", "ints_case_send(tx, &v);", "ints_case_send(rx, &v);"),
    ("a receive case on a send-only channel", "ints_case_recv(rx, &v, &ok);", "ints_case_recv(tx, &v, &ok);"),
    ("free through a direction", "ints_free(c);", "ints_free(tx);"),
    ("a direction where the other is wanted", "wants_tx(tx);", "wants_tx(rx);"),
    ("a direction where the other is wanted (2)", "wants_rx(rx);", "wants_rx(tx);"),
    ("a direction where both are wanted", "wants_both(c);", "wants_both(tx);"),
    ("both where a direction is wanted", "wants_tx(c); wants_rx(c);", "wants_tx(s);"),
    ("a channel of another type", "ints_send(c, 1);", "strs_send(c, text);"),
    ("an untyped channel", "ints_send(ints_from_raw(raw), 1);", "ints_send(raw, 1);"),
    ("a pointer sent for a number", "ints_send(c, v);", "ints_send(c, text);"),
    ("a number sent for a pointer", "strs_send(s, text);", "strs_send(s, 7);"),
    ("another pointer sent", "strs_send(s, text);", "strs_send(s, &v);"),
    ("a struct sent for a number", "points_send(p, at);", "ints_send(c, at);"),
    ("a number sent for a struct", "points_send(p, at);", "points_send(p, 1);"),
    ("CSP_GO: a number for a pointer", "CSP_GO(takes, &v, 5);", "CSP_GO(takes, 5, 5);"),
    ("CSP_GO: another pointer", "CSP_GO(takes, vp, l);", "CSP_GO(takes, &d, 5);"),
    ("CSP_GO: too few arguments", "CSP_GO(takes, vp, 5);", "CSP_GO(takes, vp);"),
    ("CSP_GO: too many arguments", "CSP_GO(takes, vp, 5);", "CSP_GO(takes, vp, 5, 6);"),
    ("CSP_GO: a struct for a number", "CSP_GO(takes_struct, at);", "CSP_GO(takes, vp, at);"),
    ("received into a wrong type", "ints_recv(c, &v);", "ints_recv(c, &d);"),
    ("received into a wrong pointer", "strs_recv(s, &text);", "strs_recv(s, &v);"),
    ("range with a wrong variable", "CSP_RANGE(v, c) {}", "CSP_RANGE(d, c) {}"),
    ("range with a wrong variable (2)", "CSP_RANGE(v, rx) {}", "CSP_RANGE(text, rx) {}"),
    ("range over an untyped channel", "CSP_RANGE(d, raw) {}", "CSP_RANGE(d, v) {}"),
    ("a case with a wrong variable", "ints_case_recv(c, &v, &ok);", "ints_case_recv(c, &d, &ok);"),
    ("assignment between types", "c = ints_from_raw(raw);", "c = s;"),
    ("a group's function that returns nothing", "csp_group_go(group, fetch, 0);", "csp_group_go(group, fetch_nothing, 0);"),
    ("a group where its context is wanted", "csp_ctx_done(csp_group_ctx(group));", "csp_ctx_done(group);"),
    ("a context where its channel is wanted", "CSP_RANGE(v, csp_ctx_done(ctx)) {}", "CSP_RANGE(v, ctx) {}"),
    ("CSP_GO with a struct for a number", "CSP_GO(work, 1, at, text);", "CSP_GO(work, at, at, text);"),
    ("CSP_GO with a number for a struct", "CSP_GO(work, v, at, text);", "CSP_GO(work, v, v, text);"),
    ("CSP_GO with a number for a pointer", "CSP_GO(work, v, at, text);", "CSP_GO(work, v, at, v);"),
    ("CSP_GO with too few arguments", "CSP_GO(work, v, at, text);", "CSP_GO(work, v, at);"),
    ("CSP_GO with too many arguments", "CSP_GO(work, v, at, text);", "CSP_GO(work, v, at, text, v);"),
    ("a map of another type", "ages_len(m);", "ages_len(g);"),
    ("an untyped map", "ages_len(m);", "ages_len(raw_map);"),
    ("a map for a syncmap", "users_len(u);", "users_len(m);"),
    ("a number for a string key", "ages_set(m, text, 1);", "ages_set(m, 7, 1);"),
    ("a string for a struct key", "grid_set(g, at, 1);", "grid_set(g, text, 1);"),
    ("a pointer for a number value", "ages_set(m, text, v);", "ages_set(m, text, text);"),
    ("a value got into a wrong type", "ages_get(m, text, &v);", "ages_get(m, text, &d);"),
    ("a value used as a wrong type", "vp = ages_at(m, text);", "dp = ages_at(m, text);"),
    ("an ensured value of a wrong type", "dp = grid_ensure(g, at);", "vp = grid_ensure(g, at);"),
    ("an iteration over a map of another type", "ages_next(&it, &key, &vp);", "ages_next(&git, &key, &vp);"),
    ("an iteration with a wrong variable", "ages_next(&it, &key, &vp);", "ages_next(&it, &key, &dp);"),
    ("an iteration with a wrong key", "ages_next(&it, &key, &vp);", "ages_next(&it, &v, &vp);"),
    ("a syncmap's value of a wrong type", "users_store(u, text, at);", "users_store(u, text, 1);"),
    ("a syncmap's load into a wrong type", "hits_load(h, 1, &l);", "hits_load(h, 1, &v);"),
    ("a syncmap's swap into a wrong type", "hits_swap(h, 1, 2, &l);", "hits_swap(h, 1, 2, &d);"),
    ("a range with a function of another type", "users_range(u, visit, 0);", "users_range(u, count, 0);"),
]


def compiles(command, statement):
    run = subprocess.run(command, input=PRELUDE % statement, text=True, capture_output=True)
    return run.returncode == 0, run.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("include")
    parser.add_argument("--c")
    parser.add_argument("--cxx")
    args = parser.parse_args()
    language = ["-x", "c", "-std=gnu17"] if args.c else ["-x", "c++", "-std=c++17"]
    command = [args.c or args.cxx, *language, "-I" + args.include, "-fsyntax-only", "-"]
    strict = command[:-1] + ["-Wall", "-Wextra", "-Wno-unused-value", "-Wno-unused-result", "-Werror", "-"]
    failures = 0
    for what, good, bad in CASES:
        ok, errors = compiles(strict, good)
        if not ok:
            print(f"must compile: {what}: {good}\n{errors}")
            failures += 1
        if compiles(command, bad)[0]:
            print(f"must not compile: {what}: {bad}")
            failures += 1
    print(f"{command[0]}: {len(CASES)} cases, {failures} failures")
    return 1 if failures else 0


sys.exit(main())

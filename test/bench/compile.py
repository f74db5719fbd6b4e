#!/usr/bin/env python3
# compile.py - how long compiling takes, beside ThreadSanitizer: the benchmark programs, and one source of 100,000 lines.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""CPU seconds of `-O2 -g -c`, medians over interleaved rounds, and the ratios of each round. The large source is generated: records,
searches, loops over rows, strings, lists, calls between them, with constants that differ."""

import argparse
import os
import pathlib
import random
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent

HEAD = """#include <stdint.h>
#include <stdlib.h>
#include <string.h>
struct item { uint32_t key, value; struct item *next; double weight; char name[16]; };
extern int failures;
"""

# One round of functions; K is its number, A to D are constants.
PIECE = """
static struct item *table_K[A];
static uint64_t calls_K;

static uint32_t hash_K(const char *s)
{
    uint32_t h = B;
    while (*s) {
        h ^= (unsigned char)*s++;
        h *= 16777619u + C;
    }
    return h % A;
}

struct item *find_K(const char *name)
{
    struct item *i = table_K[hash_K(name)];
    calls_K++;
    while (i && strcmp(i->name, name)) {
        i = i->next;
    }
    return i;
}

int insert_K(const char *name, uint32_t value, double weight)
{
    struct item *i = find_K(name);
    if (i) {
        i->value += value;
        i->weight = (i->weight + weight) / 2;
        return 0;
    }
    i = malloc(sizeof *i);
    if (!i) {
        failures++;
        return -1;
    }
    strncpy(i->name, name, sizeof i->name - 1);
    i->name[sizeof i->name - 1] = 0;
    i->key = hash_K(name);
    i->value = value;
    i->weight = weight;
    i->next = table_K[i->key];
    table_K[i->key] = i;
    return 1;
}

double sum_K(const double *a, const double *b, int n)
{
    double s = D;
    for (int i = 0; i < n; i++) {
        s += a[i] * b[i];
        if (s > 1e9 * A) {
            s /= 2;
        }
    }
    return s;
}

void blur_K(float *to, const float *from, int rows, int columns)
{
    for (int i = 1; i < rows - 1; i++) {
        for (int j = 1; j < columns - 1; j++) {
            to[i * columns + j] = (from[(i - 1) * columns + j] + from[(i + 1) * columns + j] +
                                   from[i * columns + j - 1] + from[i * columns + j + 1]) / 4;
        }
    }
}

int parse_K(const char **text, struct item *into)
{
    const char *s = *text;
    int sign = 1, seen = 0;
    uint32_t value = 0;
    while (*s == ' ') {
        s++;
    }
    switch (*s) {
    case '-':
        sign = -1;
        s++;
        break;
    case '+':
        s++;
        break;
    case '#':
        into->key = C;
        *text = s + 1;
        return 2;
    default:
        break;
    }
    while (*s >= '0' && *s <= '9') {
        value = value * 10 + (uint32_t)(*s++ - '0');
        seen++;
    }
    if (!seen) {
        failures++;
        return 0;
    }
    into->value = sign < 0 ? 0u - value : value;
    into->weight = value * D.5;
    into->key ^= into->value + B;
    *text = s;
    return 1;
}

void walk_K(int (*visit)(struct item *, void *), void *context)
{
    for (uint32_t h = 0; h < A; h++) {
        struct item **link = &table_K[h];
        while (*link) {
            struct item *i = *link;
            if (visit(i, context)) {
                *link = i->next;
                calls_K--;
                free(i);
            } else {
                link = &i->next;
            }
        }
    }
    insert_K("again", (uint32_t)calls_K, sum_K(0, 0, 0));
}
"""


def large_source(path, lines):
    """At least so many lines; always the same."""
    numbers = random.Random(1)
    with open(path, "w") as out:
        out.write(HEAD)
        for k in range(lines // PIECE.count("\n") + 1):
            piece = PIECE.replace("_K", f"_{k}")
            for letter, least, most in (("A", 16, 200), ("B", 1, 10**6), ("C", 1, 99), ("D", 1, 99)):
                number = str(numbers.randint(least, most))
                for before, after in ((f" {letter};", f" {number};"), (f"[{letter}]", f"[{number}]"), (f" {letter})", f" {number})"),
                                      (f" {letter}.5", f" {number}.5")):
                    piece = piece.replace(before, after)
            out.write(piece.replace("% A", "% 16").replace("< A", "< 16").replace("* A", "* 16"))


def cpu_seconds(command):
    pid = os.fork()
    if pid == 0:
        os.execvp(command[0], command)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"compile.py: {' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="cspthread's build directory (default: build)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    parser.add_argument("--clang", default="clang-22", help="clang for the plain and ThreadSanitizer variants")
    parser.add_argument("--lines", type=int, default=100000, help="of the large source (default: 100000)")
    options = parser.parse_args()
    out = pathlib.Path(options.build) / "bench"
    out.mkdir(parents=True, exist_ok=True)
    large = out / "large.c"
    large_source(large, options.lines)
    cspcc = str(pathlib.Path(options.build).resolve() / "bin" / "cspcc")
    variants = {"plain": [options.clang], "cspthread": [cspcc, "-fsanitize=cspthread"], "tsan": [options.clang, "-fsanitize=thread"]}
    print(f"{'source':12} {'plain s':>8} {'cspthread s':>12} {'tsan s':>8}  cspthread / tsan")
    for source in [*sorted(HERE.glob("*.c")), large]:
        times = {v: [] for v in variants}
        for _ in range(options.rounds):
            for v, command in variants.items():
                times[v].append(cpu_seconds([*command, "-O2", "-g", "-c", str(source), "-o", str(out / "compiled.o")]))
        ratios = [a / b for a, b in zip(times["cspthread"], times["tsan"])]
        medians = [statistics.median(times[v]) for v in variants]
        print(f"{source.stem:12} {medians[0]:8.3f} {medians[1]:12.3f} {medians[2]:8.3f}  "
              f"{statistics.median(ratios):.2f} [{min(ratios):.2f}..{max(ratios):.2f}]", flush=True)


if __name__ == "__main__":
    main()

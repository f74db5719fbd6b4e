// stats.c - -csp-stats counts what was checked and what was not, in every build of the compiler.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O1 -mllvm -csp-stats -c %s -o %t.o 2>&1 | FileCheck %s
// RUN: %race_clang -O1 -c %s -o %t.o 2>&1 | FileCheck --allow-empty --check-prefix=OFF %s

// CHECK-DAG: csp-stats: {{.*}}stats.c: 1 NumWrites - writes checked
// CHECK-DAG: csp-stats: {{.*}}stats.c: 1 NumReadsBeforeWrites -
// CHECK-NOT: NumAtomics
// OFF-NOT:   csp-stats
void count(int *p)
{
    ++*p;
}

// fast-path-asm.c - what a checked store costs in machine code, and what must never be in it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O2 -S %s -o - | FileCheck %s --check-prefixes=CHECK,EXEC
// RUN: %race_clang -O2 -fno-pie -S %s -o - | FileCheck %s --check-prefixes=EXEC
// RUN: %race_clang -O2 -S %s -o - | FileCheck %s --check-prefix=TLS
// RUN: %race_clang -O0 -S %s -o - | FileCheck %s --check-prefix=TLS
// RUN: %race_clang -O2 -fPIC -S %s -o - | FileCheck %s --check-prefix=TLS
// RUN: %race_clang -O2 -fPIC -S %s -o - | FileCheck %s --check-prefixes=CHECK,LIBRARY
// RUN: %race_clang -O2 -S %s -mllvm -csp-local-exec=false -o - | FileCheck %s --check-prefixes=CHECK,LIBRARY

void other(void);

// CHECK-LABEL: store_long:
// Two constants, which loops keep in registers, then: and, load, xor, shift, branch. In a library also the thread-local's offset.
// CHECK:       movabsq $17592186044408, %[[WORD:r[a-z0-9]+]]
// CHECK-NEXT:  andq    %rdi, %[[WORD]]
// EXEC:        movq    %fs:__csp_current@TPOFF, %[[CURRENT:r[a-z0-9]+]]
// LIBRARY-NEXT: movq    __csp_current@GOTTPOFF(%rip), %[[OFFSET:r[a-z0-9]+]]
// LIBRARY-NEXT: movq    %fs:(%[[OFFSET]]), %[[CURRENT:r[a-z0-9]+]]
// CHECK-NEXT:  movabsq $35184372088840, %[[BASE:r[a-z0-9]+]]
// CHECK-NEXT:  xorq    (%[[BASE]],%[[WORD]],2), %[[CURRENT]]
// CHECK-NEXT:  shrq    $26, %[[CURRENT]]
// CHECK-NEXT:  jne
// CHECK:       movq    $1, (%rdi)
// A call through the GOT: a lazy PLT would destroy registers that preserve_most promises to keep (rule C3).
// CHECK:       callq   *__csp_write8@GOTPCREL(%rip)
void store_long(long *p)
{
    *p = 1;
}

// Only offsets from %fs are kept over calls, never a thread-local's address (rule D6): `mov %fs:0` would begin one.
// TLS-NOT: %fs:0
// TLS-LABEL: store_around_calls:
// TLS-NOT: %fs:0
// TLS: callq {{.*}}other
// TLS-NOT: %fs:0
// TLS: callq {{.*}}other
// TLS-NOT: %fs:0
// TLS: .size store_around_calls
void store_around_calls(long *p, int n)
{
    for (int i = 0; i < n; i++) {
        p[i] = 1;
        other();
        p[i] = 2;
        other();
        p[i] = 3;
    }
}

// off_nodeadlock.c - detect_deadlocks=0: what would be a deadlock is only a leak; a suppression hides both.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=66 --options=detect_deadlocks=0 %s
// RUN: echo 'deadlock:first' > %t.supp
// RUN: %check --silent --options=suppressions=%t.supp %s
#include "abba_deadlock.c"
// CHECK-NOT: WARNING: CspThreadSanitizer: deadlock
// CHECK: CspThreadSanitizer: reported 2 warnings

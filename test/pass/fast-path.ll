; fast-path.ll - the inline check of accesses inside one word, and what is added when they may leave it.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"

; CHECK: @__csp_current = external dso_local thread_local(localexec) global i64

; CHECK-LABEL: define void @store8(
; CHECK-NEXT:    [[A:%.*]] = ptrtoint ptr %p to i64
; CHECK-NEXT:    [[WORD:%.*]] = and i64 [[A]], 17592186044408
; CHECK-NEXT:    [[OFFSET:%.*]] = shl i64 [[WORD]], 1
; CHECK-NEXT:    [[SHADOW:%.*]] = add nuw nsw i64 [[OFFSET]], 35184372088840
; CHECK-NEXT:    [[CURRENT:%.*]] = load i64, ptr @__csp_current, align 8, !nosanitize
; CHECK-NEXT:    [[SLOT:%.*]] = inttoptr i64 [[SHADOW]] to ptr
; CHECK-NEXT:    [[CELL:%.*]] = load atomic i64, ptr [[SLOT]] unordered, align 8, !nosanitize
; CHECK-NEXT:    [[DIFF:%.*]] = xor i64 [[CELL]], [[CURRENT]]
; CHECK-NEXT:    [[MISSING:%.*]] = lshr i64 [[DIFF]], 26
; CHECK-NEXT:    [[COLD:%.*]] = icmp ne i64 [[MISSING]], 0
; CHECK-NEXT:    br i1 [[COLD]], label %[[SLOW:.*]], label %[[FAST:.*]], !prof [[UNLIKELY:![0-9]+]]
; CHECK:       [[SLOW]]:
; CHECK-NEXT:    [[LEAF:%.*]] = call ptr @llvm.returnaddress(i32 0)
; CHECK-NEXT:    call preserve_mostcc void @__csp_write8(ptr %p, ptr [[LEAF]]) [[ENTRY:#[0-9]+]]
; CHECK-NEXT:    br label %[[FAST]]
; CHECK:       [[FAST]]:
; CHECK-NEXT:    store i64 1, ptr %p
define void @store8(ptr %p) sanitize_thread {
  store i64 1, ptr %p, align 8
  ret void
}

; A read looks at the other cell, and once more, where it is cold, for the read set that the task is known to be in: another
; variant of the set will do.
; CHECK-LABEL: define double @load8(
; CHECK:         [[SHADOW:%.*]] = add nuw nsw i64 {{.*}}, 35184372088832
; CHECK:         [[COLD:%.*]] = icmp ne i64
; CHECK-NEXT:    br i1 [[COLD]], label %[[AGAIN:.*]], label %[[FAST:.*]], !prof
; CHECK:       [[AGAIN]]:
; CHECK-NEXT:    [[SHARED:%.*]] = load i64, ptr @__csp_current_shared, align 8, !nosanitize
; CHECK-NEXT:    [[SLOT:%.*]] = inttoptr i64 [[SHADOW]] to ptr
; CHECK-NEXT:    [[CELL:%.*]] = load atomic i64, ptr [[SLOT]] unordered, align 8, !nosanitize
; CHECK-NEXT:    [[DIFF:%.*]] = xor i64 [[CELL]], [[SHARED]]
; CHECK-NEXT:    [[OTHER:%.*]] = lshr i64 [[DIFF]], 4
; CHECK-NEXT:    [[UNKNOWN:%.*]] = icmp ne i64 [[OTHER]], 0
; CHECK-NEXT:    br i1 [[UNKNOWN]], label %[[SLOW:.*]], label %{{.*}}
; CHECK:       [[SLOW]]:
; CHECK:         call preserve_mostcc void @__csp_read8(
; CHECK:       [[FAST]]:
define double @load8(ptr %p) sanitize_thread {
  %v = load double, ptr %p, align 8
  ret double %v
}

; Smaller ones ask for their bytes of the mask only.
; CHECK-LABEL: define void @store4(
; CHECK:         [[A:%.*]] = ptrtoint
; CHECK:         [[FIRST:%.*]] = and i64 [[A]], 7
; CHECK-NEXT:    [[HALF:%.*]] = and i64 [[FIRST]], 4
; CHECK-NEXT:    [[UPPER:%.*]] = icmp ne i64 [[HALF]], 0
; CHECK-NEXT:    [[WANTED:%.*]] = select i1 [[UPPER]], i64 -16, i64 -241
; CHECK:         [[MISSING:%.*]] = lshr i64 {{.*}}, 26
; CHECK-NEXT:    [[BAD:%.*]] = and i64 [[MISSING]], [[WANTED]]
; CHECK-NEXT:    icmp ne i64 [[BAD]], 0
; CHECK-NEXT:    br i1
; CHECK:         @__csp_write4(
define void @store4(ptr %p) sanitize_thread {
  store float 1.0, ptr %p, align 4
  ret void
}

; CHECK-LABEL: define i16 @load2(
; CHECK:         [[BYTES:%.*]] = shl i64 3, {{%.*}}
; CHECK-NEXT:    [[WANTED:%.*]] = or i64 [[BYTES]], -256
; CHECK:         load i64, ptr @__csp_current_shared
; CHECK:         [[DIFF:%.*]] = xor i64 {{%.*}}, {{%.*}}
; CHECK-NEXT:    [[HIGH:%.*]] = lshr i64 [[DIFF]], 26
; CHECK-NEXT:    [[MISSING:%.*]] = and i64 [[HIGH]], [[WANTED]]
; CHECK-NEXT:    [[GROUP:%.*]] = and i64 [[DIFF]], 67108848
; CHECK-NEXT:    [[BAD:%.*]] = or i64 [[MISSING]], [[GROUP]]
; CHECK-NEXT:    icmp ne i64 [[BAD]], 0
; CHECK:         @__csp_read2(
define i16 @load2(ptr %p) sanitize_thread {
  %v = load i16, ptr %p, align 2
  ret i16 %v
}

; An i1 is a byte, and a byte never leaves its word.
; CHECK-LABEL: define i1 @load1(
; CHECK:         shl i64 1,
; CHECK-NOT:     icmp ugt
; CHECK:         @__csp_read1(
define i1 @load1(ptr %p) sanitize_thread {
  %v = load i1, ptr %p, align 1
  ret i1 %v
}

; Where the word is known to begin, its bytes are too.
; CHECK-LABEL: define void @aligned2(
; CHECK-NOT:     shl i64 3
; CHECK:         and i64 {{.*}}, -253
; CHECK:         @__csp_write2(
define void @aligned2(ptr %p) sanitize_thread {
  store i16 1, ptr %p, align 8
  ret void
}

; Alignment below the size: also cold when the access leaves the word.
; CHECK-LABEL: define i32 @unaligned4(
; CHECK:         lshr i64 {{.*}}, 26
; CHECK:         [[FIRST:%.*]] = and i64 {{.*}}, 7
; CHECK-NEXT:    [[BAD:%.*]] = icmp ne i64
; CHECK-NEXT:    [[LEAVES:%.*]] = icmp ugt i64 [[FIRST]], 4
; CHECK-NEXT:    [[COLD:%.*]] = or i1 [[BAD]], [[LEAVES]]
; CHECK-NEXT:    br i1 [[COLD]]
; CHECK:         call preserve_mostcc void @__csp_unaligned_read4(
define i32 @unaligned4(ptr %p) sanitize_thread {
  %v = load i32, ptr %p, align 1
  ret i32 %v
}

; CHECK-LABEL: define void @unaligned8(
; CHECK:         [[MISSING:%.*]] = lshr i64 {{.*}}, 26
; CHECK-NEXT:    [[A:%.*]] = ptrtoint ptr %p to i64
; CHECK-NEXT:    [[FIRST:%.*]] = and i64 [[A]], 7
; CHECK-NEXT:    or i64 [[MISSING]], [[FIRST]]
; CHECK:         call preserve_mostcc void @__csp_unaligned_write8(
define void @unaligned8(ptr %p) sanitize_thread {
  store ptr null, ptr %p, align 4
  ret void
}

; Volatile is no excuse.
; CHECK-LABEL: define i32 @volatile4(
; CHECK:         @__csp_read4(
; CHECK:         load volatile i32
define i32 @volatile4(ptr %p) sanitize_thread {
  %v = load volatile i32, ptr %p, align 4
  ret i32 %v
}

; CHECK: declare preserve_mostcc void @__csp_write8(ptr, ptr) [[DECLARED:#[0-9]+]]
; CHECK-DAG: attributes [[DECLARED]] = { nounwind nonlazybind }
; CHECK-DAG: attributes [[ENTRY]] = { nomerge nounwind nonlazybind }
; CHECK-DAG: [[UNLIKELY]] = !{!"branch_weights", i32 1, i32 1048575}

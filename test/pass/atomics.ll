; atomics.ll - atomic operations become calls with C11's order; operations without an entry become a compare-and-swap loop.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"

; CHECK-LABEL: define i8 @loads(
; CHECK:         call zeroext i8 @__csp_atomic8_load(ptr %p, i32 0)
; CHECK:         call zeroext i16 @__csp_atomic16_load(ptr %p, i32 0)
; CHECK:         call i32 @__csp_atomic32_load(ptr %p, i32 2)
; CHECK:         [[D:%.*]] = call i64 @__csp_atomic64_load(ptr %p, i32 5)
; CHECK:         bitcast i64 [[D]] to double
; CHECK:         call i128 @__csp_atomic128_load(ptr %p, i32 2)
; CHECK:         [[P:%.*]] = call i64 @__csp_atomic64_load(ptr %p, i32 2)
; CHECK:         inttoptr i64 [[P]] to ptr
define i8 @loads(ptr %p) {
  %a = load atomic i8, ptr %p unordered, align 1
  %b = load atomic i16, ptr %p monotonic, align 2
  %c = load atomic i32, ptr %p acquire, align 4
  %d = load atomic double, ptr %p seq_cst, align 8
  %e = load atomic i128, ptr %p acquire, align 16
  %f = load atomic ptr, ptr %p acquire, align 8
  %g = load i8, ptr %f, align 1
  %h = fptoui double %d to i8
  %i = add i8 %g, %h
  ret i8 %i
}

; CHECK-LABEL: define void @stores(
; CHECK:         call void @__csp_atomic8_store(ptr %p, i8 zeroext 1, i32 0)
; CHECK:         [[P:%.*]] = ptrtoint ptr %q to i64
; CHECK:         call void @__csp_atomic64_store(ptr %p, i64 [[P]], i32 3)
; CHECK:         call void @__csp_atomic32_store(ptr %p, i32 {{.*}}, i32 5)
define void @stores(ptr %p, ptr %q, float %v) {
  store atomic i8 1, ptr %p monotonic, align 1
  store atomic ptr %q, ptr %p release, align 8
  store atomic float %v, ptr %p seq_cst, align 4
  ret void
}

; CHECK-LABEL: define i32 @modify(
; CHECK:         call i32 @__csp_atomic32_fetch_add(ptr %p, i32 1, i32 0)
; CHECK:         call i32 @__csp_atomic32_fetch_sub(ptr %p, i32 1, i32 2)
; CHECK:         call i32 @__csp_atomic32_fetch_and(ptr %p, i32 1, i32 3)
; CHECK:         call i32 @__csp_atomic32_fetch_or(ptr %p, i32 1, i32 4)
; CHECK:         call i32 @__csp_atomic32_fetch_xor(ptr %p, i32 1, i32 5)
; CHECK:         call i32 @__csp_atomic32_fetch_nand(ptr %p, i32 1, i32 5)
; CHECK:         [[OLD:%.*]] = call i32 @__csp_atomic32_exchange(ptr %p, i32 1, i32 5)
; CHECK:         ret i32 [[OLD]]
define i32 @modify(ptr %p) {
  %a = atomicrmw add ptr %p, i32 1 monotonic
  %b = atomicrmw sub ptr %p, i32 1 acquire
  %c = atomicrmw and ptr %p, i32 1 release
  %d = atomicrmw or ptr %p, i32 1 acq_rel
  %e = atomicrmw xor ptr %p, i32 1 seq_cst
  %f = atomicrmw nand ptr %p, i32 1 seq_cst
  %g = atomicrmw xchg ptr %p, i32 1 seq_cst
  ret i32 %g
}

; CHECK-LABEL: define float @modify_float(
; CHECK:         [[FIRST:%.*]] = call i32 @__csp_atomic32_load(ptr %p, i32 0)
; CHECK:         br label %[[LOOP:.*]]
; CHECK:       [[LOOP]]:
; CHECK-NEXT:    [[OLD:%.*]] = phi i32 [ [[FIRST]], %{{.*}} ], [ [[SEEN:%.*]], %[[LOOP]] ]
; CHECK:         fadd float
; CHECK:         [[SEEN]] = call i32 @__csp_atomic32_cas(ptr %p, i32 [[OLD]], i32 {{%.*}}, i32 4, i32 2)
; CHECK-NEXT:    [[DONE:%.*]] = icmp eq i32 [[SEEN]], [[OLD]]
; CHECK-NEXT:    br i1 [[DONE]], label %{{.*}}, label %[[LOOP]]
define float @modify_float(ptr %p) {
  %a = atomicrmw fadd ptr %p, float 1.0 acq_rel
  ret float %a
}

; CHECK-LABEL: define i64 @modify_max(
; CHECK:         icmp ugt i64
; CHECK:         call i64 @__csp_atomic64_cas(ptr %p, i64 {{.*}}, i64 {{.*}}, i32 0, i32 0)
define i64 @modify_max(ptr %p) {
  %a = atomicrmw umax ptr %p, i64 9 monotonic
  ret i64 %a
}

; CHECK-LABEL: define { ptr, i1 } @compare_exchange(
; CHECK:         [[SEEN:%.*]] = call i64 @__csp_atomic64_cas(ptr %p, i64 [[E:%.*]], i64 {{%.*}}, i32 4, i32 0)
; CHECK:         [[OK:%.*]] = icmp eq i64 [[SEEN]], [[E]]
; CHECK:         insertvalue { ptr, i1 } {{.*}}, i1 [[OK]], 1
define { ptr, i1 } @compare_exchange(ptr %p, ptr %e, ptr %d) {
  %r = cmpxchg weak ptr %p, ptr %e, ptr %d acq_rel monotonic
  ret { ptr, i1 } %r
}

; CHECK-LABEL: define void @fences(
; CHECK:         call void @__csp_fence(i32 2)
; CHECK:         call void @__csp_fence(i32 3)
; CHECK:         call void @__csp_signal_fence(i32 5)
define void @fences() {
  fence acquire
  fence release
  fence syncscope("singlethread") seq_cst
  ret void
}

; Order within a thread only: for other threads it is a plain access.
; CHECK-LABEL: define i32 @single_thread(
; CHECK:         @__csp_read4(
; CHECK:         load atomic i32, ptr %p syncscope("singlethread") acquire
define i32 @single_thread(ptr %p) sanitize_thread {
  %v = load atomic i32, ptr %p syncscope("singlethread") acquire, align 4
  ret i32 %v
}

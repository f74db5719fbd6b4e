; copies.ll - memory intrinsics: small ones are checked in place, others become calls that check and copy.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memcpy.inline.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memmove.p0.p0.i32(ptr, ptr, i32, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

@text = constant [64 x i8] zeroinitializer

; CHECK-LABEL: define void @small(
; CHECK:         @__csp_read8(ptr %q,
; CHECK:         @__csp_write8(ptr %p,
; CHECK:         call void @llvm.memcpy.p0.p0.i64(ptr align 8 %p, ptr align 8 %q, i64 8, i1 false)
define void @small(ptr %p, ptr %q) sanitize_thread {
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %p, ptr align 8 %q, i64 8, i1 false)
  ret void
}

; Without an alignment it may leave its word; other sizes are ranges.
; CHECK-LABEL: define void @small_odd(
; CHECK:         @__csp_unaligned_read8(ptr %q,
; CHECK:         @__csp_unaligned_write8(ptr %p,
; CHECK:         call void @__csp_write_range(ptr %p, i64 23,
; CHECK:         call void @llvm.memset
define void @small_odd(ptr %p, ptr %q) sanitize_thread {
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %q, i64 8, i1 false)
  call void @llvm.memset.p0.i64(ptr %p, i8 1, i64 23, i1 false)
  ret void
}

; CHECK-LABEL: define void @large(
; CHECK:         call ptr @__csp_memcpy(ptr %p, ptr %q, i64 100)
; CHECK:         [[N:%.*]] = zext i32 %n to i64
; CHECK:         call ptr @__csp_memmove(ptr %p, ptr %q, i64 [[N]])
; CHECK:         [[C:%.*]] = zext i8 %c to i32
; CHECK:         call ptr @__csp_memset(ptr %p, i32 [[C]], i64 %m)
; CHECK-NOT:     @llvm.mem
; CHECK:         ret void
define void @large(ptr %p, ptr %q, i32 %n, i64 %m, i8 %c) sanitize_thread {
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %q, i64 100, i1 false)
  call void @llvm.memmove.p0.p0.i32(ptr %p, ptr %q, i32 %n, i1 false)
  call void @llvm.memset.p0.i64(ptr %p, i8 %c, i64 %m, i1 false)
  ret void
}

; "inline" means that no function may be called.
; CHECK-LABEL: define void @always_inline(
; CHECK:         call void @__csp_read_range(ptr %q, i64 100,
; CHECK:         call void @__csp_write_range(ptr %p, i64 100,
; CHECK:         call void @llvm.memcpy.inline
define void @always_inline(ptr %p, ptr %q) sanitize_thread {
  call void @llvm.memcpy.inline.p0.p0.i64(ptr %p, ptr %q, i64 100, i1 false)
  ret void
}

; CHECK-LABEL: define void @into_private(
; CHECK-NOT:     @__csp_
; CHECK:         ret void
define void @into_private() sanitize_thread {
  %a = alloca [64 x i8]
  call void @llvm.memcpy.p0.p0.i64(ptr %a, ptr @text, i64 64, i1 false)
  ret void
}

; A copy of unknown length says nothing about later accesses.
; CHECK-LABEL: define void @then_store(
; CHECK:         @__csp_memset(
; CHECK:         @__csp_write4(ptr %p,
define void @then_store(ptr %p, i64 %n) sanitize_thread {
  call void @llvm.memset.p0.i64(ptr %p, i8 0, i64 %n, i1 false)
  store i32 1, ptr %p, align 4
  ret void
}

; CHECK-LABEL: define void @nothing(
; CHECK-NOT:     @__csp_
; CHECK:         ret void
define void @nothing(ptr %p, ptr %q) sanitize_thread {
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %q, i64 0, i1 false)
  ret void
}

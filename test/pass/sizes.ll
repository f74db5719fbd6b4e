; sizes.ll - no access is skipped for its type: every size has its entry.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s -mllvm -csp-reads-before-writes=false | FileCheck %s
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"

; Wide ones look at the cells of all their words, 16 bytes of shadow apart; one that does not begin at a word calls.
; CHECK-LABEL: define <4 x i32> @two_words(
; CHECK:         [[FIRST:%.*]] = add nuw nsw i64 {{.*}}, 35184372088832
; CHECK-NEXT:    [[SECOND:%.*]] = add i64 [[FIRST]], 16
; CHECK:         [[D0:%.*]] = xor i64
; CHECK:         [[D1:%.*]] = xor i64
; CHECK-NEXT:    [[BOTH:%.*]] = or i64 [[D0]], [[D1]]
; CHECK-NEXT:    [[MISSING:%.*]] = lshr i64 [[BOTH]], 26
; CHECK-NEXT:    ptrtoint ptr %p to i64
; CHECK-NEXT:    [[OFF:%.*]] = and i64 {{.*}}, 7
; CHECK-NEXT:    [[BAD:%.*]] = or i64 [[MISSING]], [[OFF]]
; CHECK-NEXT:    [[COLD:%.*]] = icmp ne i64 [[BAD]], 0
; CHECK-NEXT:    br i1 [[COLD]]
define <4 x i32> @two_words(ptr %p) sanitize_thread {
  %a = load <4 x i32>, ptr %p, align 4
  ret <4 x i32> %a
}

; CHECK-LABEL: define void @wide(
; CHECK:         call preserve_mostcc void @__csp_read16(ptr %p,
; CHECK:         call preserve_mostcc void @__csp_write32(ptr %q,
; CHECK:         call preserve_mostcc void @__csp_write64(ptr %q,
; CHECK:         call preserve_mostcc void @__csp_write16(ptr %p,
define void @wide(ptr %p, ptr %q) sanitize_thread {
  %a = load <4 x i32>, ptr %p, align 16
  store <4 x double> zeroinitializer, ptr %q, align 8
  store <64 x i8> zeroinitializer, ptr %q, align 1
  store i128 0, ptr %p, align 16
  call void asm sideeffect "", "x"(<4 x i32> %a)
  ret void
}

; CHECK-LABEL: define void @odd(
; CHECK:         call void @__csp_read_range(ptr %p, i64 10, ptr %{{[0-9]+}})
; CHECK:         call void @__csp_write_range(ptr %p, i64 3, ptr %{{[0-9]+}})
; CHECK:         call void @__csp_write_range(ptr %q, i64 12, ptr %{{[0-9]+}})
; CHECK:         call void @__csp_write_range(ptr %q, i64 24, ptr %{{[0-9]+}})
define void @odd(ptr %p, ptr %q) sanitize_thread {
  %a = load x86_fp80, ptr %p, align 16
  store i24 0, ptr %p, align 4
  store <3 x i32> zeroinitializer, ptr %q, align 16
  store {i64, i64, i32} zeroinitializer, ptr %q, align 8
  call void asm sideeffect "", "f"(x86_fp80 %a)
  ret void
}

; The caller copies by-value arguments: a read, checked before the call.
; CHECK-LABEL: define void @pass_by_value(
; CHECK:         call void @__csp_read_range(ptr %p, i64 20, ptr null)
; CHECK:         call void @takes(ptr byval([5 x i32]) align 8 %p)
declare void @takes(ptr byval([5 x i32]) align 8)
define void @pass_by_value(ptr %p) sanitize_thread {
  call void @takes(ptr byval([5 x i32]) align 8 %p)
  ret void
}

; filter.ll - what need not be checked, one function per reason, and its neighbour that must be.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s | FileCheck %s
; RUN: %race_ir %s -mllvm -csp-across-blocks=false -mllvm -csp-reads-before-writes=false -mllvm -csp-quiet-calls=false \
; RUN:   -mllvm -csp-private-heap=false | FileCheck --check-prefix=BLOCK %s
target triple = "x86_64-unknown-linux-gnu"

@constant = constant i32 3
@table = constant [4 x i32] [i32 1, i32 2, i32 3, i32 4]
@variable = global i32 3
@own = thread_local global i32 0
@__csp_site = external thread_local(initialexec) global ptr
@__profc_main = private global [1 x i64] zeroinitializer, section "__llvm_prf_cnts"

declare void @f()
declare void @takes(ptr)

; CHECK-LABEL: define i32 @private_local(
; CHECK-NOT:     @__csp_
; CHECK:         ret i32
define i32 @private_local(i32 %i) sanitize_thread {
  %a = alloca [4 x i32]
  %p = getelementptr [4 x i32], ptr %a, i32 0, i32 %i
  store i32 1, ptr %p, align 4
  %v = load i32, ptr %a, align 4
  ret i32 %v
}

; CHECK-LABEL: define void @set_errno(
; CHECK-NOT:     @__csp_write
; CHECK:         ret void
declare ptr @__errno_location()
define void @set_errno() sanitize_thread {
  %e = call ptr @__errno_location()
  store i32 1, ptr %e, align 4
  ret void
}

; CHECK-LABEL: define void @returned_pointer(
; CHECK:         @__csp_write4(ptr %e,
declare ptr @pointer()
define void @returned_pointer() sanitize_thread {
  %e = call ptr @pointer()
  store i32 1, ptr %e, align 4
  ret void
}

; CHECK-LABEL: define void @escaping_local(
; CHECK:         @__csp_write4(ptr %a,
define void @escaping_local() sanitize_thread {
  %a = alloca i32
  store i32 1, ptr %a, align 4
  call void @takes(ptr %a)
  ret void
}

; CHECK-LABEL: define i32 @by_value(
; CHECK-NOT:     @__csp_
; CHECK:         ret i32
define i32 @by_value(ptr byval(i32) %p) sanitize_thread {
  %v = load i32, ptr %p, align 4
  ret i32 %v
}

; CHECK-LABEL: define i32 @constants(
; CHECK-NOT:     @__csp_
; CHECK:         ret i32
define i32 @constants(i32 %i) sanitize_thread {
  %a = load i32, ptr @constant, align 4
  %p = getelementptr [4 x i32], ptr @table, i32 0, i32 %i
  %b = load i32, ptr %p, align 4
  %c = add i32 %a, %b
  ret i32 %c
}

; A thread-local's address may be handed to others.
; CHECK-LABEL: define void @variables(
; CHECK:         @__csp_write4(ptr @variable,
; CHECK:         @__csp_write4(ptr @own,
define void @variables() sanitize_thread {
  store i32 1, ptr @variable, align 4
  store i32 1, ptr @own, align 4
  ret void
}

; CHECK-LABEL: define void @compiler_made(
; CHECK-NOT:     @__csp_write
; CHECK-NOT:     @__csp_read
; CHECK:         ret void
define void @compiler_made(ptr %p) sanitize_thread {
  store volatile ptr null, ptr @__csp_site, align 8
  store i32 1, ptr %p, align 4, !nosanitize !0
  %n = load i64, ptr @__profc_main, align 8
  store i64 %n, ptr @__profc_main, align 8
  store i32 1, ptr addrspace(256) null, align 4
  ret void
}

; The slots of virtual tables are constant; the pointer to the table is not.
; CHECK-LABEL: define ptr @virtual(
; CHECK:         @__csp_read8(ptr %o,
; CHECK-NOT:     @__csp_read
; CHECK:         ret ptr
define ptr @virtual(ptr %o) sanitize_thread {
  %vtable = load ptr, ptr %o, align 8, !tbaa !1
  %slot = getelementptr inbounds ptr, ptr %vtable, i64 2
  %m = load ptr, ptr %slot, align 8
  ret ptr %m
}

; A write stands for later accesses of the block, a read for later reads.
; CHECK-LABEL: define void @same_block(
; CHECK:         @__csp_read4(ptr %p,
; CHECK-NOT:     @__csp_read4(ptr %p,
; CHECK:         @__csp_write4(ptr %p,
; CHECK-NOT:     (ptr %p,
; CHECK:         ret void
define void @same_block(ptr %p) sanitize_thread {
  %a = load volatile i32, ptr %p, align 4
  %b = load volatile i32, ptr %p, align 4
  store volatile i32 1, ptr %p, align 4
  store volatile i32 2, ptr %p, align 4
  %c = load volatile i16, ptr %p, align 4
  ret void
}

; A smaller one does not stand for a larger one.
; CHECK-LABEL: define void @larger(
; CHECK:         @__csp_write2(ptr %p,
; CHECK:         @__csp_write4(ptr %p,
define void @larger(ptr %p) sanitize_thread {
  store volatile i16 1, ptr %p, align 4
  store volatile i32 2, ptr %p, align 4
  ret void
}

; A call may release, free or end a lifetime.
; CHECK-LABEL: define void @across_call(
; CHECK-COUNT-2: @__csp_write4(ptr %p,
define void @across_call(ptr %p) sanitize_thread {
  store i32 1, ptr %p, align 4
  call void @f()
  store i32 2, ptr %p, align 4
  ret void
}

; CHECK-LABEL: define void @across_release(
; CHECK-COUNT-2: @__csp_write4(ptr %p,
define void @across_release(ptr %p, ptr %q) sanitize_thread {
  store i32 1, ptr %p, align 4
  store atomic i32 1, ptr %q release, align 4
  store i32 2, ptr %p, align 4
  ret void
}

; What every way there has checked stands too.
; CHECK-LABEL: define void @other_block(
; CHECK-COUNT-1: @__csp_write4(ptr %p,
; CHECK-NOT:     @__csp_write4(ptr %p,
; CHECK:         ret void
; BLOCK-LABEL: define void @other_block(
; BLOCK-COUNT-2: @__csp_write4(ptr %p,
define void @other_block(ptr %p, i1 %c) sanitize_thread {
  store i32 1, ptr %p, align 4
  br i1 %c, label %then, label %done
then:
  store i32 2, ptr %p, align 4
  br label %done
done:
  ret void
}

; Only one of the ways has.
; CHECK-LABEL: define void @one_way(
; CHECK-COUNT-2: @__csp_write4(ptr %p,
define void @one_way(ptr %p, i1 %c) sanitize_thread {
  br i1 %c, label %then, label %done
then:
  store i32 1, ptr %p, align 4
  br label %done
done:
  store i32 2, ptr %p, align 4
  ret void
}

; One of the ways has released since.
; CHECK-LABEL: define void @released_on_one_way(
; CHECK-COUNT-2: @__csp_write4(ptr %p,
define void @released_on_one_way(ptr %p, i1 %c) sanitize_thread {
  store i32 1, ptr %p, align 4
  br i1 %c, label %then, label %done
then:
  call void @f()
  br label %done
done:
  store i32 2, ptr %p, align 4
  ret void
}

; The write stands for the read before it, unless something orders between.
; CHECK-LABEL: define void @increment(
; CHECK-NOT:     @__csp_read4(
; CHECK:         @__csp_write4(ptr %p,
; CHECK:         ret void
; BLOCK-LABEL: define void @increment(
; BLOCK:         @__csp_read4(ptr %p,
; BLOCK:         @__csp_write4(ptr %p,
define void @increment(ptr %p) sanitize_thread {
  %v = load i32, ptr %p, align 4
  %w = add i32 %v, 1
  store i32 %w, ptr %p, align 4
  ret void
}

; CHECK-LABEL: define void @increment_across_call(
; CHECK:         @__csp_read4(ptr %p,
; CHECK:         @__csp_write4(ptr %p,
define void @increment_across_call(ptr %p) sanitize_thread {
  %v = load i32, ptr %p, align 4
  call void @f()
  store i32 %v, ptr %p, align 4
  ret void
}

; A call proven to order and to free nothing ends no epoch; it may not return, so no check moves over it.
; CHECK-LABEL: define void @across_quiet_call(
; CHECK-COUNT-1: @__csp_write4(ptr %p,
; CHECK-NOT:     @__csp_write4(ptr %p,
; CHECK:         ret void
; BLOCK-LABEL: define void @across_quiet_call(
; BLOCK-COUNT-2: @__csp_write4(ptr %p,
declare void @quiet() nosync nofree
define void @across_quiet_call(ptr %p) sanitize_thread {
  store i32 1, ptr %p, align 4
  call void @quiet()
  store i32 2, ptr %p, align 4
  ret void
}

; CHECK-LABEL: define i32 @private_block(
; CHECK-NOT:     @__csp_{{read|write}}
; CHECK:         ret i32
; BLOCK-LABEL: define i32 @private_block(
; BLOCK:         @__csp_write4(
declare noalias ptr @malloc(i64)
declare void @free(ptr captures(none))
define i32 @private_block(i64 %i) sanitize_thread {
  %p = call noalias ptr @malloc(i64 64)
  %q = getelementptr i32, ptr %p, i64 %i
  store i32 1, ptr %q, align 4
  %v = load i32, ptr %p, align 4
  ret i32 %v
}

; CHECK-LABEL: define ptr @escaping_block(
; CHECK:         @__csp_write4(
define ptr @escaping_block() sanitize_thread {
  %p = call noalias ptr @malloc(i64 64)
  store i32 1, ptr %p, align 4
  ret ptr %p
}

@never_written = internal global [4 x i32] [i32 1, i32 2, i32 3, i32 4]
@written = internal global i32 0
; CHECK-LABEL: define i32 @reads_never_written(
; CHECK-NOT:     @__csp_read4(ptr %p
; CHECK:         @__csp_read4(ptr @written
; CHECK:         ret i32
define i32 @reads_never_written(i64 %i, i32 %v) sanitize_thread {
  %p = getelementptr [4 x i32], ptr @never_written, i64 0, i64 %i
  %a = load i32, ptr %p, align 4
  %b = load i32, ptr @written, align 4
  call void @f()
  store i32 %v, ptr @written, align 4
  %c = add i32 %a, %b
  ret i32 %c
}

!0 = !{}
!1 = !{!2, !2, i64 0}
!2 = !{!"vtable pointer", !3, i64 0}
!3 = !{!"Simple C++ TBAA"}

; A phi or select of addresses in blocks that do not escape; not when one of them does, or is unknown.
; CHECK-LABEL: define void @chosen_private(
; CHECK-NOT:     @__csp_write
; CHECK:         ret void
; BLOCK-LABEL: define void @chosen_private(
; BLOCK:         @__csp_write
define void @chosen_private(i1 %c, i64 %n) sanitize_thread {
entry:
  %a = call ptr @malloc(i64 64)
  %b = call ptr @malloc(i64 64)
  %s = select i1 %c, ptr %a, ptr %b
  br label %loop
loop:
  %p = phi ptr [ %s, %entry ], [ %next, %loop ]
  %i = phi i64 [ %n, %entry ], [ %less, %loop ]
  store i64 1, ptr %p, align 8
  %next = getelementptr i64, ptr %p, i64 1
  %less = sub i64 %i, 1
  %end = icmp eq i64 %less, 0
  br i1 %end, label %out, label %loop
out:
  call void @free(ptr %a)
  call void @free(ptr %b)
  ret void
}

; CHECK-LABEL: define void @chosen_shared(
; CHECK:         @__csp_write
; CHECK:         ret void
define void @chosen_shared(i1 %c, ptr %other) sanitize_thread {
  %a = call ptr @malloc(i64 64)
  %s = select i1 %c, ptr %a, ptr %other
  store i64 1, ptr %s, align 8
  call void @free(ptr %a)
  ret void
}

; CHECK-LABEL: define void @chosen_escapes(
; CHECK:         @__csp_write
; CHECK:         ret void
define void @chosen_escapes(i1 %c) sanitize_thread {
  %a = call ptr @malloc(i64 64)
  %b = call ptr @malloc(i64 64)
  %s = select i1 %c, ptr %a, ptr %b
  call void @takes(ptr %s)
  store i64 1, ptr %s, align 8
  ret void
}

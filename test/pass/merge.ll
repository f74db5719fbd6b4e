; merge.ll - accesses at constant distances from one address share an inline check, and keep their own entries.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s | FileCheck %s
; RUN: %race_ir %s -mllvm -csp-merge=false | FileCheck --check-prefix=EACH %s
; RUN: %race_ir %s -mllvm -csp-stats -o /dev/null 2>&1 | FileCheck --check-prefix=STATS %s
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"

@own = internal thread_local(initialexec) global [2 x i64] zeroinitializer

declare void @f()

; STATS: 16 NumMerged - accesses checked together with an earlier one

; Three words: one load of the epoch, one branch, three entries, each with its own line.
; CHECK-LABEL: define void @fields(
; CHECK:         [[FIRST:%.*]] = add nuw nsw i64 {{.*}}, 35184372088840
; CHECK-NEXT:    [[SECOND:%.*]] = add i64 [[FIRST]], 16
; CHECK-NEXT:    [[FOURTH:%.*]] = add i64 [[FIRST]], 48
; CHECK-NEXT:    load i64, ptr @__csp_current,
; CHECK:         inttoptr i64 [[FIRST]] to ptr
; CHECK:         [[D0:%.*]] = xor i64
; CHECK:         inttoptr i64 [[SECOND]] to ptr
; CHECK:         [[D1:%.*]] = xor i64
; CHECK-NEXT:    [[D01:%.*]] = or i64 [[D0]], [[D1]]
; CHECK:         inttoptr i64 [[FOURTH]] to ptr
; CHECK:         [[D3:%.*]] = xor i64
; CHECK-NEXT:    [[D:%.*]] = or i64 [[D01]], [[D3]]
; CHECK-NEXT:    [[MISSING:%.*]] = lshr i64 [[D]], 26
; CHECK-NEXT:    [[COLD:%.*]] = icmp ne i64 [[MISSING]], 0
; CHECK-NEXT:    br i1 [[COLD]], label %{{.*}}, label %{{.*}}, !dbg [[LINE1:![0-9]+]], !prof
; CHECK:         [[LEAF:%.*]] = call ptr @llvm.returnaddress(
; CHECK-NEXT:    call preserve_mostcc void @__csp_write8(ptr %p, ptr [[LEAF]]) {{.*}}, !dbg [[LINE1]]
; CHECK-NEXT:    [[P1:%.*]] = getelementptr i8, ptr %p, i64 8
; CHECK-NEXT:    call preserve_mostcc void @__csp_write8(ptr [[P1]], ptr [[LEAF]]) {{.*}}, !dbg [[LINE2:![0-9]+]]
; CHECK-NEXT:    [[P3:%.*]] = getelementptr i8, ptr %p, i64 24
; CHECK-NEXT:    call preserve_mostcc void @__csp_write8(ptr [[P3]], ptr [[LEAF]]) {{.*}}, !dbg [[LINE3:![0-9]+]]
; CHECK-NEXT:    br label
; CHECK-NOT:     @__csp_
; CHECK:         ret void
; EACH-LABEL: define void @fields(
; EACH-COUNT-3: load i64, ptr @__csp_current,
; EACH-LABEL: define void @one_word(
define void @fields(ptr %p) sanitize_thread !dbg !3 {
  store i64 1, ptr %p, align 8, !dbg !4
  %x = udiv i64 7, 2
  %q = getelementptr inbounds i8, ptr %p, i64 8
  store i64 %x, ptr %q, align 8, !dbg !5
  %r = getelementptr inbounds i8, ptr %p, i64 24
  store i64 2, ptr %r, align 8, !dbg !6
  ret void
}

; Bytes of one word that begins at a known place: one cell.
; CHECK-LABEL: define void @one_word(
; CHECK:         [[P8:%.*]] = getelementptr i8, ptr %p, i64 8
; CHECK-NEXT:    [[A:%.*]] = ptrtoint ptr [[P8]] to i64
; CHECK-NEXT:    and i64 [[A]], 17592186044408
; CHECK:         [[ANCHOR:%.*]] = add nuw nsw i64
; CHECK-NEXT:    [[BEFORE:%.*]] = add i64 [[ANCHOR]], -16
; CHECK-NEXT:    load i64, ptr @__csp_current,
; CHECK-COUNT-2: load atomic
; CHECK-NOT:     load atomic
; CHECK:         and i64 {{.*}}, -225
; CHECK:         br i1
; CHECK:         @__csp_write4(ptr %p,
; CHECK:         @__csp_write1(ptr
; CHECK:         @__csp_write8(ptr
define void @one_word(ptr %p) sanitize_thread {
  store i32 1, ptr %p, align 4
  %q = getelementptr i8, ptr %p, i64 4
  store i8 1, ptr %q, align 1
  %r = getelementptr i8, ptr %p, i64 8
  store ptr null, ptr %r, align 8
  ret void
}

; Where the words begin is not known: each has its own cell, still one branch.
; CHECK-LABEL: define void @halves(
; CHECK:         select i1
; CHECK:         select i1
; CHECK-COUNT-1: load i64, ptr @__csp_current,
; CHECK-COUNT-2: load atomic
; CHECK:         br i1
; CHECK:         @__csp_write4(ptr %p,
; CHECK-NEXT:    getelementptr
; CHECK-NEXT:    @__csp_write4(ptr
define void @halves(ptr %p) sanitize_thread {
  store i32 1, ptr %p, align 4
  %q = getelementptr i8, ptr %p, i64 4
  store i32 1, ptr %q, align 4
  ret void
}

; An address that cannot begin at a word when another does: looked at by itself.
; CHECK-LABEL: define void @contradiction(
; CHECK:         [[Q:%.*]] = getelementptr i8, ptr %p, i64 4
; CHECK-NEXT:    ptrtoint ptr [[Q]] to i64
; CHECK-COUNT-2: load atomic
; CHECK:         @__csp_write8(ptr %p,
; CHECK:         @__csp_write8(ptr
define void @contradiction(ptr %p) sanitize_thread {
  store i64 1, ptr %p, align 8
  %q = getelementptr i8, ptr %p, i64 4
  store i64 1, ptr %q, align 8
  ret void
}

; Reads have a second chance, the read set, which all of them must be in.
; CHECK-LABEL: define i64 @reads(
; CHECK:         load i64, ptr @__csp_current,
; CHECK-COUNT-2: load atomic
; CHECK:         br i1
; CHECK:         load i64, ptr @__csp_current_shared,
; CHECK-COUNT-2: load atomic
; CHECK:         [[D:%.*]] = or i64
; CHECK-NEXT:    lshr i64 [[D]], 4
; CHECK:         br i1
; CHECK:         @__csp_read8(ptr %p,
; CHECK:         @__csp_read8(ptr
; CHECK:         br label
; A write among them is apart.
; CHECK:         load i64, ptr @__csp_current,
; CHECK:         @__csp_write8(ptr %r,
define i64 @reads(ptr %p) sanitize_thread {
  %a = load i64, ptr %p, align 8
  %r = getelementptr i8, ptr %p, i64 16
  store i64 1, ptr %r, align 8
  %q = getelementptr i8, ptr %p, i64 8
  %b = load i64, ptr %q, align 8
  %s = add i64 %a, %b
  ret i64 %s
}

; What may order, free or not return ends a span: nothing moves up across it.
; CHECK-LABEL: define void @call_between(
; CHECK:         @__csp_write8(ptr %p,
; CHECK-NEXT:    br label
; CHECK:         call void @f()
; CHECK:         @__csp_write8(ptr %q,
define void @call_between(ptr %p) sanitize_thread {
  store i64 1, ptr %p, align 8
  call void @f()
  %q = getelementptr i8, ptr %p, i64 8
  store i64 1, ptr %q, align 8
  ret void
}

; CHECK-LABEL: define void @acquire_between(
; CHECK:         @__csp_write8(ptr %p,
; CHECK-NEXT:    br label
; CHECK:         @__csp_atomic
; CHECK:         @__csp_write8(ptr %q,
define void @acquire_between(ptr %p, ptr %flag) sanitize_thread {
  store i64 1, ptr %p, align 8
  %a = load atomic i64, ptr %flag acquire, align 8
  %q = getelementptr i8, ptr %p, i64 8
  store i64 %a, ptr %q, align 8
  ret void
}

; CHECK-LABEL: define void @volatile_between(
; CHECK:         @__csp_write8(ptr %p,
; CHECK-NEXT:    br label
; CHECK:         load volatile
; CHECK:         @__csp_write8(ptr %q,
define void @volatile_between(ptr %p, ptr %flag) sanitize_thread {
  store i64 1, ptr %p, align 8
  %a = load volatile i64, ptr %flag, align 8
  %q = getelementptr i8, ptr %p, i64 8
  store i64 %a, ptr %q, align 8
  ret void
}

; CHECK-LABEL: define void @life_between(
; CHECK:         @__csp_write8(ptr %p,
; CHECK-NEXT:    br label
; CHECK:         call void @llvm.lifetime.start
; CHECK:         @__csp_write8(ptr %q,
define void @life_between(ptr %p) sanitize_thread {
  %l = alloca i64
  store i64 1, ptr %p, align 8
  call void @llvm.lifetime.start.p0(ptr %l)
  %q = getelementptr i8, ptr %p, i64 8
  store i64 1, ptr %q, align 8
  ret void
}

; CHECK-LABEL: define void @other_block(
; CHECK:         @__csp_write8(ptr %p,
; CHECK-NEXT:    br label
; CHECK:         @__csp_write8(ptr %q,
define void @other_block(ptr %p, i1 %c) sanitize_thread {
  store i64 1, ptr %p, align 8
  br i1 %c, label %then, label %end
then:
  %q = getelementptr i8, ptr %p, i64 8
  store i64 1, ptr %q, align 8
  br label %end
end:
  ret void
}

; What does not concern memory or order may stand between.
; CHECK-LABEL: define void @arithmetic_between(
; CHECK:         @__csp_write8(ptr %p,
; CHECK-NEXT:    getelementptr
; CHECK-NEXT:    call {{.*}} @__csp_write8(
define void @arithmetic_between(ptr %p, double %d) sanitize_thread {
  store i64 1, ptr %p, align 8
  %s = call double @llvm.sqrt.f64(double %d)
  %q = getelementptr i8, ptr %p, i64 8
  store double %s, ptr %q, align 8
  ret void
}

; What may leave its word, and what is far away, is checked alone.
; CHECK-LABEL: define void @alone(
; CHECK:         @__csp_write8(ptr %p,
; CHECK-NEXT:    br label
; CHECK:         @__csp_unaligned_write8(ptr %q,
; CHECK-NEXT:    br label
; CHECK:         @__csp_write8(ptr %r,
define void @alone(ptr %p) sanitize_thread {
  store i64 1, ptr %p, align 8
  %q = getelementptr i8, ptr %p, i64 9
  store i64 1, ptr %q, align 1
  %r = getelementptr i8, ptr %p, i64 8192
  store i64 1, ptr %r, align 8
  ret void
}

; A thread-local's address is computed anew, for all of them.
; CHECK-LABEL: define void @thread_local(
; CHECK:         [[NOW:%.*]] = call ptr asm sideeffect
; CHECK-NOT:     asm sideeffect
; CHECK:         @__csp_write8(ptr [[NOW]],
; CHECK-NEXT:    [[NEXT:%.*]] = getelementptr i8, ptr [[NOW]], i64 8
; CHECK-NEXT:    @__csp_write8(ptr [[NEXT]],
; CHECK-NOT:     asm sideeffect
; CHECK:         ret void
define void @thread_local() sanitize_thread {
  %p = call ptr @llvm.threadlocal.address.p0(ptr @own)
  store i64 1, ptr %p, align 8
  %q = getelementptr i8, ptr %p, i64 8
  store i64 1, ptr %q, align 8
  ret void
}

; Eight at most.
; CHECK-LABEL: define void @nine(
; CHECK-COUNT-8: @__csp_write8(
; CHECK-NEXT:    br label
; CHECK:         @__csp_write8(
; CHECK-NEXT:    br label
define void @nine(ptr %p) sanitize_thread {
  store i64 1, ptr %p, align 8
  %p1 = getelementptr i8, ptr %p, i64 8
  store i64 1, ptr %p1, align 8
  %p2 = getelementptr i8, ptr %p, i64 16
  store i64 1, ptr %p2, align 8
  %p3 = getelementptr i8, ptr %p, i64 24
  store i64 1, ptr %p3, align 8
  %p4 = getelementptr i8, ptr %p, i64 32
  store i64 1, ptr %p4, align 8
  %p5 = getelementptr i8, ptr %p, i64 40
  store i64 1, ptr %p5, align 8
  %p6 = getelementptr i8, ptr %p, i64 48
  store i64 1, ptr %p6, align 8
  %p7 = getelementptr i8, ptr %p, i64 56
  store i64 1, ptr %p7, align 8
  %p8 = getelementptr i8, ptr %p, i64 64
  store i64 1, ptr %p8, align 8
  ret void
}

; CHECK: [[LINE1]] = !DILocation(line: 11,
; CHECK: [[LINE2]] = !DILocation(line: 12,
; CHECK: [[LINE3]] = !DILocation(line: 13,
!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2}
!0 = distinct !DICompileUnit(language: DW_LANG_C11, file: !1, emissionKind: FullDebug)
!1 = !DIFile(filename: "merge.c", directory: "/")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!3 = distinct !DISubprogram(name: "fields", file: !1, line: 10, unit: !0, type: !7, spFlags: DISPFlagDefinition)
!4 = !DILocation(line: 11, column: 1, scope: !3)
!5 = !DILocation(line: 12, column: 1, scope: !3)
!6 = !DILocation(line: 13, column: 1, scope: !3)
!7 = !DISubroutineType(types: !8)
!8 = !{null}

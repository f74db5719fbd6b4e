; frame-record.ll - functions that call others keep a frame record; it is current at each call and gone at each exit.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"

declare void @f()
declare i32 @setjmp(ptr) returns_twice
declare i32 @__gxx_personality_v0(...)

; CHECK-LABEL: define void @caller(
; CHECK-NEXT:    [[REC:%.*]] = alloca { ptr, ptr, i64 }
; CHECK-NEXT:    [[PREV:%.*]] = load volatile ptr, ptr @__csp_top
; CHECK-NEXT:    [[REC_PREV:%.*]] = getelementptr {{.*}}[[REC]], i32 0, i32 0
; CHECK-NEXT:    store volatile ptr [[PREV]], ptr [[REC_PREV]]
; CHECK-NEXT:    [[RET:%.*]] = call ptr @llvm.returnaddress(i32 0)
; CHECK:         store volatile ptr [[RET]], ptr
; CHECK:         store volatile i64 0, ptr
; CHECK-NEXT:    store volatile ptr [[REC]], ptr @__csp_top
; The first call finds it current; the second may follow an exception or a longjmp that the first has caught.
; CHECK-NEXT:    call void @f()
; CHECK-NEXT:    store volatile ptr [[REC]], ptr @__csp_top
; CHECK-NEXT:    call void @f()
; CHECK-NEXT:    [[SLOT:%.*]] = getelementptr {{.*}}[[REC]], i32 0, i32 0
; CHECK-NEXT:    [[BACK:%.*]] = load volatile ptr, ptr [[SLOT]]
; CHECK-NEXT:    store volatile ptr [[BACK]], ptr @__csp_top
; CHECK-NEXT:    ret void
define void @caller() sanitize_thread {
  call void @f()
  call void @f()
  ret void
}

; A function with a record hands no return address over; the tail mark goes.
; CHECK-LABEL: define void @caller_accesses(
; CHECK:         call preserve_mostcc void @__csp_write4(ptr %p, ptr null)
; CHECK:         {{^ *}}call void @f()
define void @caller_accesses(ptr %p) sanitize_thread {
  store i32 1, ptr %p, align 4
  tail call void @f()
  ret void
}

; CHECK-LABEL: define void @leaf(
; CHECK-NOT:     __csp_top
; CHECK:         ret void
define void @leaf(ptr %p) sanitize_thread {
  store i32 1, ptr %p, align 4
  call void asm sideeffect "", ""()
  ret void
}

; The record goes before a musttail call, as the frame does.
; CHECK-LABEL: define void @must_tail(
; CHECK:         store volatile ptr [[REC:%csp.frame]], ptr @__csp_top
; CHECK-NEXT:    call void @f()
; CHECK-NEXT:    getelementptr
; CHECK-NEXT:    [[BACK:%.*]] = load volatile ptr
; CHECK-NEXT:    store volatile ptr [[BACK]], ptr @__csp_top
; CHECK-NEXT:    musttail call void @must_tail()
; CHECK-NEXT:    ret void
define void @must_tail() sanitize_thread {
  call void @f()
  musttail call void @must_tail()
  ret void
}

; CHECK-LABEL: define i32 @twice(
; CHECK:         [[R:%.*]] = call i32 @setjmp(ptr %p)
; CHECK-NEXT:    store volatile ptr %csp.frame, ptr @__csp_top
; CHECK-NEXT:    getelementptr
define i32 @twice(ptr %p) sanitize_thread {
  %r = call i32 @setjmp(ptr %p) returns_twice
  ret i32 %r
}

; CHECK-LABEL: define void @catches(
; CHECK:         invoke void @f()
; CHECK:       pad:
; CHECK-NEXT:    landingpad
; CHECK-NEXT:    cleanup
; CHECK-NEXT:    store volatile ptr %csp.frame, ptr @__csp_top
; CHECK-NEXT:    getelementptr
; CHECK-NEXT:    load volatile ptr
; CHECK-NEXT:    store volatile ptr %{{.*}}, ptr @__csp_top
; CHECK-NEXT:    resume
define void @catches() sanitize_thread personality ptr @__gxx_personality_v0 {
  invoke void @f() to label %ok unwind label %pad
ok:
  ret void
pad:
  %l = landingpad { ptr, i32 } cleanup
  resume { ptr, i32 } %l
}

; The entries of atomics and copies take no return address: the function keeps a record for them.
; CHECK-LABEL: define i32 @atomic_only(
; CHECK:         store volatile ptr %csp.frame, ptr @__csp_top
; CHECK:         call i32 @__csp_atomic32_load(
define i32 @atomic_only(ptr %p) sanitize_thread {
  %v = load atomic i32, ptr %p acquire, align 4
  ret i32 %v
}

; In optnone functions as well.
; CHECK-LABEL: define void @unoptimized(
; CHECK:         store volatile ptr %csp.frame, ptr @__csp_top
; CHECK:         @__csp_write4(
define void @unoptimized(ptr %p) sanitize_thread noinline optnone {
  call void @f()
  store i32 1, ptr %p, align 4
  ret void
}

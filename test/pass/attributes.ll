; attributes.ll - which functions are instrumented, and what becomes of their attributes.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s | FileCheck %s
; RUN: %race_ir_before_link %s | FileCheck %s --check-prefix=LINK
; RUN: %race_ir %s | %race_ir - | FileCheck %s --check-prefix=TWICE
target triple = "x86_64-unknown-linux-gnu"

; CHECK: @llvm.global_ctors = appending global {{.*}} { i32 0, ptr @csp.module_ctor, ptr null }
; TWICE: @llvm.global_ctors = appending global [1 x

@dispatched = ifunc void (), ptr @resolver

declare void @f()

; no_sanitize("thread"): no checks, but the calling context and atomics, which may be the program's synchronization.
; CHECK-LABEL: define i32 @exempt(ptr %p)
; CHECK-NOT:     @__csp_read
; CHECK:         @__csp_top
; CHECK:         call void @f()
; CHECK:         call void @__csp_atomic32_store(
; CHECK-NOT:     @__csp_read
; CHECK:         ret i32
define i32 @exempt(ptr %p) {
  %v = load i32, ptr %p, align 4
  call void @f()
  store atomic i32 1, ptr %p release, align 4
  ret i32 %v
}

; CHECK-LABEL: define void @untouched(
; CHECK-NEXT:    store i32
; CHECK-NEXT:    fence seq_cst
; CHECK-NEXT:    call void @f()
; CHECK-NEXT:    ret void
define void @untouched(ptr %p) sanitize_thread disable_sanitizer_instrumentation {
  store i32 1, ptr %p, align 4
  fence seq_cst
  call void @f()
  ret void
}

; CHECK-LABEL: define void @naked(
; CHECK-NEXT:    call void @f()
; CHECK-NEXT:    unreachable
define void @naked() sanitize_thread naked {
  call void @f()
  unreachable
}

; Runs before the program is relocated.
; CHECK-LABEL: define ptr @resolver(
; CHECK-NEXT:    call void @f()
; CHECK-NEXT:    ret ptr
define ptr @resolver() sanitize_thread {
  call void @f()
  ret ptr null
}

; What was deduced about memory is no longer true; Clang's own pass is told to keep away.
; CHECK-LABEL: define i32 @was_pure(
; CHECK-SAME:    [[PURE:#[0-9]+]]
; LINK-LABEL: define i32 @was_pure(
; LINK-SAME:    [[PURE:#[0-9]+]]
; TWICE-LABEL: define i32 @was_pure(
; TWICE:         @__csp_read4(
; TWICE-NOT:     @__csp_read4(
; TWICE:         ret i32
define i32 @was_pure(ptr %p) sanitize_thread memory(argmem: read) nosync {
  %v = load i32, ptr %p, align 4
  ret i32 %v
}

; CHECK-LABEL: define void @calls_pure(
; CHECK:         call i32 @was_pure(ptr %p){{$}}
define void @calls_pure(ptr %p) sanitize_thread {
  call i32 @was_pure(ptr %p) memory(argmem: read)
  ret void
}

; CHECK-LABEL: define internal void @csp.module_ctor()
; CHECK-NEXT:    call void @__csp_module_init(i32 3)
; TWICE-COUNT-1: define internal void @csp.module_ctor

; CHECK: attributes [[PURE]] = { disable_sanitizer_instrumentation sanitize_thread }
; Inlined later, a record would name another function's caller.
; LINK: attributes [[PURE]] = { disable_sanitizer_instrumentation noinline sanitize_thread }
; CHECK: !{i32 7, !"csp.instrumented", i32 1}

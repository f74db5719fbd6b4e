; sites.ll - the markers that the Clang half leaves become stores of constants, and nothing of them remains.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"

; CHECK-DAG: @csp.site = private unnamed_addr constant { ptr, ptr, i32, i32 } { ptr @file, ptr @text, i32 12, i32 3 }, section "csp_sites", align 8
; CHECK-DAG: @__csp_site = external dso_local thread_local(localexec) global ptr
; CHECK-NOT: @csp.site.{{[0-9]+}} = {{.*}} i32 12, i32 3
; CHECK: @llvm.global.annotations = appending global [1 x {{.*}}@marked, ptr @mine,{{.*}}section "llvm.metadata"
@text = private unnamed_addr constant [3 x i8] c"ch\00"
@file = private unnamed_addr constant [4 x i8] c"m.c\00"

declare ptr @__csp_site.0(ptr, ptr, ptr, i32, i32)
declare void @"\01__csp_site.1"(ptr, ptr, i32, i32)
declare i32 @__csp_site.2(i32, ptr, ptr, i32, i32)
declare i32 @__gxx_personality_v0(...)
declare void @send(ptr, ptr)

; CHECK-LABEL: define void @marked(
; CHECK-NEXT:    store volatile ptr @csp.site, ptr @__csp_site, align 8
; CHECK-NEXT:    call void @send(ptr %c, ptr %v)
; CHECK-NEXT:    store volatile ptr @csp.site, ptr @__csp_site, align 8
; CHECK-NEXT:    ret void
define void @marked(ptr %c, ptr %v) disable_sanitizer_instrumentation {
  %a = call ptr @__csp_site.0(ptr %v, ptr @text, ptr @file, i32 12, i32 3)
  call void @send(ptr %c, ptr %a)
  call void @"\01__csp_site.1"(ptr @text, ptr @file, i32 12, i32 3)
  ret void
}

; CHECK-LABEL: define i32 @invoked(
; CHECK-NEXT:    store volatile ptr @csp.site.{{[0-9]+}}, ptr @__csp_site
; CHECK-NEXT:    br label %ok
; CHECK:       ok:
; CHECK-NEXT:    ret i32 %v
define i32 @invoked(i32 %v) disable_sanitizer_instrumentation personality ptr @__gxx_personality_v0 {
  %a = invoke i32 @__csp_site.2(i32 %v, ptr @text, ptr @file, i32 13, i32 3) to label %ok unwind label %pad
ok:
  ret i32 %a
pad:
  %l = landingpad { ptr, i32 } cleanup
  ret i32 0
}
; CHECK-NOT: __csp_site.{{[0-9]}}

; Only the program's own annotations stay.
@mine = private unnamed_addr constant [5 x i8] c"mine\00", section "llvm.metadata"
@ours = private unnamed_addr constant [9 x i8] c"csp_site\00", section "llvm.metadata"
@llvm.global.annotations = appending global [2 x { ptr, ptr, ptr, i32, ptr }] [
  { ptr, ptr, ptr, i32, ptr } { ptr @send, ptr @ours, ptr @file, i32 1, ptr null },
  { ptr, ptr, ptr, i32, ptr } { ptr @marked, ptr @mine, ptr @file, i32 1, ptr null }], section "llvm.metadata"

; masked.ll - vector accesses are checked in the lanes that happen, and in no others.
; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; RUN: %race_ir %s -mllvm -csp-merge=false | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"

; A constant mask: one access per run of lanes.
; CHECK-LABEL: define <4 x i32> @constant_mask(
; CHECK:         [[LAST:%.*]] = getelementptr inbounds i8, ptr %p, i64 12
; CHECK:         @__csp_read8(ptr %p,
; CHECK:         @__csp_read4(ptr [[LAST]],
; CHECK:         call <4 x i32> @llvm.masked.load
define <4 x i32> @constant_mask(ptr %p) sanitize_thread {
  %v = call <4 x i32> @llvm.masked.load.v4i32.p0(ptr align 16 %p, <4 x i1> <i1 1, i1 1, i1 0, i1 1>, <4 x i32> zeroinitializer)
  ret <4 x i32> %v
}

; CHECK-LABEL: define void @variable_mask(
; CHECK:         [[BIT:%.*]] = extractelement <2 x i1> %m, i64 0
; CHECK:         [[BIT1:%.*]] = extractelement <2 x i1> %m, i64 1
; CHECK:         [[SECOND:%.*]] = getelementptr inbounds i8, ptr %p, i64 8
; CHECK:         br i1 [[BIT]]
; CHECK:         @__csp_write8(ptr %p,
; CHECK:         br i1 [[BIT1]]
; CHECK:         @__csp_write8(ptr [[SECOND]],
; CHECK:         call void @llvm.masked.store
define void @variable_mask(ptr %p, <2 x i64> %v, <2 x i1> %m) sanitize_thread {
  call void @llvm.masked.store.v2i64.p0(<2 x i64> %v, ptr align 8 %p, <2 x i1> %m)
  ret void
}

; CHECK-LABEL: define <2 x i16> @gather(
; CHECK:         [[P0:%.*]] = extractelement <2 x ptr> %p, i64 0
; CHECK:         @__csp_read2(ptr [[P0]],
; CHECK:         call <2 x i16> @llvm.masked.gather
define <2 x i16> @gather(<2 x ptr> %p, <2 x i1> %m) sanitize_thread {
  %v = call <2 x i16> @llvm.masked.gather.v2i16.v2p0(<2 x ptr> align 2 %p, <2 x i1> %m, <2 x i16> zeroinitializer)
  ret <2 x i16> %v
}

; CHECK-LABEL: define void @scatter(
; CHECK:         @__csp_write4(
; CHECK:         @__csp_write4(
; CHECK:         call void @llvm.masked.scatter
define void @scatter(<2 x ptr> %p, <2 x i32> %v, <2 x i1> %m) sanitize_thread {
  call void @llvm.masked.scatter.v2i32.v2p0(<2 x i32> %v, <2 x ptr> align 4 %p, <2 x i1> %m)
  ret void
}

; Packed lanes: as many as are selected, from the start.
; CHECK-LABEL: define void @compress(
; CHECK:         call i{{[0-9]+}} @llvm.ctpop
; CHECK:         icmp ugt i64 {{.*}}, 0
; CHECK:         icmp ugt i64 {{.*}}, 1
; CHECK:         @__csp_write4(
; CHECK:         @__csp_write4(
; CHECK:         call void @llvm.masked.compressstore
define void @compress(ptr %p, <2 x i32> %v, <2 x i1> %m) sanitize_thread {
  call void @llvm.masked.compressstore.v2i32(<2 x i32> %v, ptr align 4 %p, <2 x i1> %m)
  ret void
}

; A wide load of which every other lane is used.
; CHECK-LABEL: define <2 x i64> @every_other(
; CHECK:         [[THIRD:%.*]] = getelementptr inbounds i8, ptr %p, i64 16
; CHECK-NOT:     @__csp_read32
; CHECK:         @__csp_read8(ptr %p,
; CHECK:         @__csp_read8(ptr [[THIRD]],
; CHECK:         load <4 x i64>
define <2 x i64> @every_other(ptr %p) sanitize_thread {
  %w = load <4 x i64>, ptr %p, align 8
  %v = shufflevector <4 x i64> %w, <4 x i64> poison, <2 x i32> <i32 0, i32 2>
  ret <2 x i64> %v
}

; CHECK-LABEL: define i32 @one_lane(
; CHECK:         [[SECOND:%.*]] = getelementptr inbounds i8, ptr %p, i64 4
; CHECK:         @__csp_read4(ptr [[SECOND]],
; CHECK:         load <4 x i32>
define i32 @one_lane(ptr %p) sanitize_thread {
  %w = load <4 x i32>, ptr %p, align 4
  %v = extractelement <4 x i32> %w, i64 1
  ret i32 %v
}

// go_capture_x86_64.S - a call's arguments, kept where they are passed and passed again in another coroutine; System V.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CSP_GO(fn, a, b) calls cspi_go_capture as if it were fn, so that the compiler checks, converts and places the arguments. They
// are put down as follows, together with what lay on the stack (go_capture.c):
//     0 rdi  8 rsi  16 rdx  24 rcx  32 r8  40 r9  48 xmm0 ... 160 xmm7   176 fn  184 bytes on the stack  192 those

    .text

    .globl cspi_go_capture
    .hidden cspi_go_capture
    .type cspi_go_capture, @function
    .p2align 4
cspi_go_capture:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    subq $176, %rsp
    movq %rdi, (%rsp)
    movq %rsi, 8(%rsp)
    movq %rdx, 16(%rsp)
    movq %rcx, 24(%rsp)
    movq %r8, 32(%rsp)
    movq %r9, 40(%rsp)
    movups %xmm0, 48(%rsp)
    movups %xmm1, 64(%rsp)
    movups %xmm2, 80(%rsp)
    movups %xmm3, 96(%rsp)
    movups %xmm4, 112(%rsp)
    movups %xmm5, 128(%rsp)
    movups %xmm6, 144(%rsp)
    movups %xmm7, 160(%rsp)
    movq %rsp, %rdi
    leaq 16(%rbp), %rsi         // what is passed on the stack
    callq cspi_go_captured
    leave
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size cspi_go_capture, . - cspi_go_capture

    // The function of a coroutine started so; its argument is the above.
    .globl cspi_go_replay
    .hidden cspi_go_replay
    .type cspi_go_replay, @function
    .p2align 4
cspi_go_replay:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq %rdi, %r10
    movq 184(%r10), %rcx
    subq %rcx, %rsp             // a multiple of 16
    leaq 192(%r10), %rsi
    movq %rsp, %rdi
    rep movsb
    movups 48(%r10), %xmm0
    movups 64(%r10), %xmm1
    movups 80(%r10), %xmm2
    movups 96(%r10), %xmm3
    movups 112(%r10), %xmm4
    movups 128(%r10), %xmm5
    movups 144(%r10), %xmm6
    movups 160(%r10), %xmm7
    movq (%r10), %rdi
    movq 8(%r10), %rsi
    movq 16(%r10), %rdx
    movq 24(%r10), %rcx
    movq 32(%r10), %r8
    movq 40(%r10), %r9
    movl $8, %eax               // vector registers used at most, should fn take variable arguments
    callq *176(%r10)
    leave
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size cspi_go_replay, . - cspi_go_replay

    .section .note.GNU-stack, "", @progbits

// switch_x86_64.S - a coroutine's first saved state and its bottom frame for x86-64, System V. The layout: switch_x86_64.h.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    .text

    .globl cspi_switch_prepare
    .hidden cspi_switch_prepare
    .type cspi_switch_prepare, @function
    .p2align 4
cspi_switch_prepare:
    .cfi_startproc
    leaq -176(%rdi), %rax       // 16 for fn and arg, 128 that the switch skips, 32
    stmxcsr (%rax)
    fnstcw 4(%rax)
    movq $0, 8(%rax)            // rbx
    movq $0, 16(%rax)           // rbp: ends frame-pointer chains
    leaq cspi_co_entry(%rip), %rcx
    movq %rcx, 24(%rax)
    movq %rsi, -16(%rdi)        // fn
    movq %rdx, -8(%rdi)         // arg
    ret
    .cfi_endproc
    .size cspi_switch_prepare, . - cspi_switch_prepare

    .globl cspi_co_entry
    .hidden cspi_co_entry
    .type cspi_co_entry, @function
    .p2align 4
cspi_co_entry:
    .cfi_startproc
    .cfi_undefined %rip         // the outermost frame
    movq 8(%rsp), %rdi
    callq *(%rsp)
    callq cspi_co_finish
    ud2
    .cfi_endproc
    .size cspi_co_entry, . - cspi_co_entry

    .section .note.GNU-stack, "", @progbits

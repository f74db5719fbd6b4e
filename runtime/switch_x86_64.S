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
    xorl %r12d, %r12d           // what ran here before is not this one's: it would keep memory reached (rtl/leak/reach.h)
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    movq 8(%rsp), %rdi
    callq *(%rsp)
    callq cspi_co_finish
    ud2
    .cfi_endproc
    .size cspi_co_entry, . - cspi_co_entry

// The walker's own frame, whose unwind rules tell of another: above it an unwinder finds who saved the state in rbx.
    .globl cspi_walk_from
    .hidden cspi_walk_from
    .type cspi_walk_from, @function
    .p2align 4
cspi_walk_from:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    pushq %rbx
    .cfi_def_cfa_offset 24
    .cfi_offset %rbx, -24
    subq $8, %rsp
    .cfi_def_cfa_offset 32
    movq %rdi, %rbx             // the saved state
    movq %rsi, %rax
    movq %rdx, %rdi
    .cfi_remember_state
    .cfi_def_cfa %rbx, 160      // the stack pointer of who goes on there
    .cfi_offset %rip, -136
    .cfi_offset %rbp, -144
    .cfi_offset %rbx, -152
    callq *%rax
    nop                         // so that the return address lies within these rules
    .cfi_restore_state
    addq $8, %rsp
    .cfi_def_cfa_offset 24
    popq %rbx
    .cfi_def_cfa_offset 16
    popq %rbp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size cspi_walk_from, . - cspi_walk_from

    .section .note.GNU-stack, "", @progbits

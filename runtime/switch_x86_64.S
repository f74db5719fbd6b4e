// switch_x86_64.S - the register switch for x86-64, System V.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A saved state, from its stack pointer upwards (8 bytes each):
//     mxcsr (4) | x87 control word (2) | unused (2)
//     r15  r14  r13  r12  rbx  rbp
//     return address
// mxcsr and the x87 control word are callee-saved by the ABI (rounding mode, exception masks). The vector registers are
// not, so nothing else need be kept.

    .text

    .globl cspi_switch
    .hidden cspi_switch
    .type cspi_switch, @function
    .p2align 4
cspi_switch:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    pushq %rbx
    .cfi_def_cfa_offset 24
    .cfi_offset %rbx, -24
    pushq %r12
    .cfi_def_cfa_offset 32
    .cfi_offset %r12, -32
    pushq %r13
    .cfi_def_cfa_offset 40
    .cfi_offset %r13, -40
    pushq %r14
    .cfi_def_cfa_offset 48
    .cfi_offset %r14, -48
    pushq %r15
    .cfi_def_cfa_offset 56
    .cfi_offset %r15, -56
    subq $8, %rsp
    .cfi_def_cfa_offset 64
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movl (%rsp), %edx
    movzwl 4(%rsp), %eax
    movq %rsp, (%rdi)
    // The other side has the same layout, so the unwind rules stay true across this line.
    movq %rsi, %rsp
    xorl (%rsp), %edx           // loading them is slow, and nearly always both sides agree
    andl $0xffc0, %edx          // the low six bits are sticky flags, which the ABI lets anybody change
    xorw 4(%rsp), %ax
    orl %eax, %edx
    jnz 2f
1:  addq $8, %rsp
    .cfi_def_cfa_offset 56
    popq %r15
    .cfi_def_cfa_offset 48
    .cfi_restore %r15
    popq %r14
    .cfi_def_cfa_offset 40
    .cfi_restore %r14
    popq %r13
    .cfi_def_cfa_offset 32
    .cfi_restore %r13
    popq %r12
    .cfi_def_cfa_offset 24
    .cfi_restore %r12
    popq %rbx
    .cfi_def_cfa_offset 16
    .cfi_restore %rbx
    popq %rbp
    .cfi_def_cfa_offset 8
    .cfi_restore %rbp
    ret
2:  .cfi_def_cfa_offset 64
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    jmp 1b
    .cfi_endproc
    .size cspi_switch, . - cspi_switch

    .globl cspi_switch_prepare
    .hidden cspi_switch_prepare
    .type cspi_switch_prepare, @function
    .p2align 4
cspi_switch_prepare:
    .cfi_startproc
    leaq -64(%rdi), %rax
    stmxcsr (%rax)
    fnstcw 4(%rax)
    movq $0, 8(%rax)            // r15
    movq $0, 16(%rax)           // r14
    movq %rdx, 24(%rax)         // r13: arg
    movq %rsi, 32(%rax)         // r12: fn
    movq $0, 40(%rax)           // rbx
    movq $0, 48(%rax)           // rbp: ends frame-pointer chains
    leaq cspi_co_entry(%rip), %rcx
    movq %rcx, 56(%rax)
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
    movq %r13, %rdi
    callq *%r12
    callq cspi_co_finish
    ud2
    .cfi_endproc
    .size cspi_co_entry, . - cspi_co_entry

    .section .note.GNU-stack, "", @progbits

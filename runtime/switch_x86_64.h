// switch_x86_64.h - the register switch for x86-64, System V, inlined.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A saved state, from its stack pointer upwards (8 bytes each):
//     mxcsr (4) | x87 control word (2) | unused (2)
//     rbx  rbp
//     address to go on at
// mxcsr and the x87 control word are callee-saved by the ABI (rounding mode, exception masks). The vector registers are
// not, and the rest the compiler saves when it has something in them: the asm says that it changes all of them.
//
// Why inlined, and a jump: processors predict a `ret` to go where the latest `call` came from, and after a switch it does
// not. A called switch mispredicts its own return, or, when it jumps, those of all its callers. Without a call the stack
// of predictions stays right as long as coroutines park along the same path. Measured: 11.4 ns a switch with call and
// ret, 2.7 with call and jump (but then the yield around it loses what the switch gained), 2.4 like this.
#ifndef CSP_RUNTIME_SWITCH_X86_64_H
#define CSP_RUNTIME_SWITCH_X86_64_H

#define CSPI_SWITCH_PC_OFFSET 24u   // of the address to go on at in a saved state
#define CSPI_SWITCH_ENTRY_SLOT (-2) // words above the stack's top: fn and arg (switch_x86_64.S)

// What else a function compiled for AVX-512 may keep in registers.
#if defined(__AVX512F__)
#define CSPI_SWITCH_CLOBBERS_512                                                                                       \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",      \
        "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define CSPI_SWITCH_CLOBBERS_512
#endif

static inline __attribute__((always_inline)) void cspi_switch(void **save, void *load)
{
    __asm__ volatile("3:\n\t"
                     "leaq -128(%%rsp), %%rsp\n\t" // the function's red zone
                     "leaq 1f(%%rip), %%rdx\n\t"
                     "pushq %%rdx\n\t"
                     "pushq %%rbp\n\t"
                     "pushq %%rbx\n\t"
                     "pushq %%rdx\n\t" // room for the control words
                     "stmxcsr (%%rsp)\n\t"
                     "fnstcw 4(%%rsp)\n\t"
                     "movl (%%rsp), %%edx\n\t"
                     "movzwl 4(%%rsp), %%eax\n\t"
                     "movq %%rsp, (%0)\n\t"
                     "movq %1, %%rsp\n\t"
                     "xorl (%%rsp), %%edx\n\t" // loading them is slow, and nearly always both sides agree
                     "andl $0xffc0, %%edx\n\t" // the low six bits are sticky flags, which the ABI lets anybody change
                     "xorw 4(%%rsp), %%ax\n\t"
                     "orl %%eax, %%edx\n\t"
                     "jz 2f\n\t"
                     "ldmxcsr (%%rsp)\n\t"
                     "fldcw 4(%%rsp)\n\t"
                     "2:\n\t"
                     "movq 8(%%rsp), %%rbx\n\t"
                     "movq 16(%%rsp), %%rbp\n\t"
                     "movq 24(%%rsp), %%rdx\n\t"
                     "leaq 160(%%rsp), %%rsp\n\t" // 32 of ours, and the red zone
                     "jmpq *%%rdx\n\t"
                     "1:\n\t"
                     ".pushsection cspi_switch_ranges, \"a\"\n\t" // in between, unwind rules do not hold (walk.c)
                     ".long 3b - ., 1b - .\n\t"
                     ".popsection"
                     : "+D"(save), "+S"(load)
                     :
                     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15", "memory", "cc" CSPI_SWITCH_CLOBBERS_512);
}

#endif

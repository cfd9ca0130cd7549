// SPDX-License-Identifier: Apache-2.0
// Exceptions in protected mode: vector, error code, saved EIP, and whether they are faults or traps.
#define NAME "exceptions"
#include "lib/guest.h"

main:
        call    divide_errors
        call    software_interrupts
        call    general_protection
        call    device_not_available
        call    x87_and_sse
        call    alignment
        call    not_present_and_stack
        call    invalid_tss
        call    double_fault
        ret

divide_errors:
        xorl    %edx, %edx
        movl    $1, %eax
        xorl    %ecx, %ecx
        EXPECT_FAULT(DE, 0, divl %ecx)
        CHECK_EQ(%eax, $1)
        movl    $0x80000000, %eax
        movl    $-1, %edx
        movl    $-1, %ecx
        EXPECT_FAULT(DE, 0, idivl %ecx)
        movl    $5, %edx
        movl    $5, %ecx
        EXPECT_FAULT(DE, 0, divl %ecx)
        movl    $0x1234, %eax
        EXPECT_FAULT(DE, 0, .byte 0xd4, 0)      // AAM 0
        movl    $0x7fff8000, small_bounds
        movl    $100, %eax
        EXPECT_FAULT(BR, 0, bound %eax, wide_bounds)
        movl    $7, %eax
        bound   %eax, wide_bounds               // inside: nothing happens
        CHECK_EQ(trap_vector, $-1)
        movw    $3, %ax
        bound   %ax, small_bounds               // -32768 .. 32767
        ret

software_interrupts:
        EXPECT_TRAP(BP, 0, int3)
        EXPECT_TRAP(BP, 0, .byte 0xcd, 3)
        movb    $0x7f, %al
        addb    $1, %al
        EXPECT_TRAP(OF, 0, into)
        movb    $0x7f, %al
        addb    $0, %al
        into                                    // OF clear
        CHECK_EQ(trap_vector, $-1)
        EXPECT_TRAP(0x42, 0, int $0x42)
        ret

general_protection:
        EXPECT_FAULT(UD, 0, ud2)
        EXPECT_FAULT(UD, 0, .byte 0xf0; incl %eax)               // LOCK on a register
        EXPECT_FAULT(UD, 0, .byte 0x8e, 0xc8)                    // MOV CS, AX
        EXPECT_FAULT(GP, 0, .fill 15, 1, 0x66; nop)       // longer than 15 bytes
        SKIP_ON_TCG(1f, "LOCK on MOV, unknown MSRs, inconsistent CR0, reserved CR4 bits")
        EXPECT_FAULT(UD, 0, .byte 0xf0; movl %eax, dummy)        // LOCK on MOV
        movl    $0x12345678, %ecx
        EXPECT_FAULT(GP, 0, rdmsr)
        EXPECT_FAULT(GP, 0, wrmsr)
        movl    %cr0, %eax
        andl    $~CR0_PE, %eax
        orl     $CR0_PG, %eax
        EXPECT_FAULT(GP, 0, movl %eax, %cr0)                     // paging without protection
        movl    %cr4, %eax
        orl     $0x8000, %eax
        EXPECT_FAULT(GP, 0, movl %eax, %cr4)                     // reserved bit
1:
        movl    $FREE_SELECTOR + 0x100, %eax
        EXPECT_FAULT(GP, 0x150, movl %eax, %ds)                  // beyond the limit of the GDT
        movl    $TSS_SELECTOR, %eax
        EXPECT_FAULT(GP, TSS_SELECTOR, movl %eax, %es)           // not a segment
        movl    $4, %eax
        EXPECT_FAULT(GP, 4, movl %eax, %es)                      // no LDT
        xorl    %eax, %eax
        EXPECT_FAULT(GP, 0, movl %eax, %ss)
        movl    $CS32, %eax
        EXPECT_FAULT(GP, CS32, movl %eax, %ss)                   // code in SS
        movl    $DS32_USER, %eax
        EXPECT_FAULT(GP, DS32_USER & ~3, movl %eax, %ss)         // RPL and DPL are not the CPL
        movl    $TSS_SELECTOR, %eax
        EXPECT_FAULT(GP, TSS_SELECTOR, ltr %ax)                  // already busy
        ret

device_not_available:
        movl    %cr0, %eax
        orl     $CR0_TS, %eax
        movl    %eax, %cr0
        EXPECT_FAULT(NM, 0, fld1)
        wait                                    // MP clear: WAIT does not care about TS
        CHECK_EQ(trap_vector, $-1)
        orl     $CR0_MP, %eax
        movl    %eax, %cr0
        EXPECT_FAULT(NM, 0, wait)
        clts
        fninit
        wait
        movl    %cr0, %eax
        orl     $CR0_EM, %eax
        movl    %eax, %cr0
        EXPECT_FAULT(NM, 0, fld1)
        EXPECT_FAULT(UD, 0, xorps %xmm0, %xmm0)
        andl    $~CR0_EM, %eax
        movl    %eax, %cr0
        EXPECT_FAULT(UD, 0, xorps %xmm0, %xmm0) // CR4.OSFXSR is still clear
        ret

x87_and_sse:
        SKIP_ON_TCG(1f, "unmasked x87 and SSE exceptions, SSE alignment")
        movl    %cr0, %eax
        orl     $CR0_NE | CR0_MP, %eax
        movl    %eax, %cr0
        movl    %cr4, %eax
        orl     $CR4_OSFXSR, %eax
        movl    %eax, %cr4
        fninit
        movw    $0x37b, word                    // zero-divide unmasked
        fldcw   word
        fld1
        fldz
        fdivrp                                  // 1/0 raises the flag; the next waiting instruction takes #MF
        fnstsw  %ax
        andl    $0xb8ff, %eax                   // without the condition codes
        CHECK_EQ(%eax, $0xb084)
        EXPECT_FAULT(MF, 0, wait)
        EXPECT_FAULT(MF, 0, fld1)
        fnclex
        fninit
        movl    $0x1d80, dummy                  // SSE zero-divide unmasked
        ldmxcsr dummy
        movl    $0x3f800000, dummy
        movss   dummy, %xmm0
        xorps   %xmm1, %xmm1
        EXPECT_FAULT(UD, 0, divss %xmm1, %xmm0) // without CR4.OSXMMEXCPT
        movl    %cr4, %eax
        orl     $CR4_OSXMMEXCPT, %eax
        movl    %eax, %cr4
        movss   %xmm0, dummy
        CHECK_EQ(dummy, $0x3f800000)
        EXPECT_FAULT(XM, 0, divss %xmm1, %xmm0)
        movss   %xmm0, dummy
        CHECK_EQ(dummy, $0x3f800000)
        stmxcsr dummy
        CHECK_EQ(dummy, $0x1d84)
        movl    $0x1f80, dummy
        ldmxcsr dummy
        movl    $0x11f80, dummy
        EXPECT_FAULT(GP, 0, ldmxcsr dummy)
        EXPECT_FAULT(GP, 0, movaps dummy + 4, %xmm0)
1:      ret

// #AC needs CPL 3, CR0.AM and EFLAGS.AC.
alignment:
        SKIP_ON_TCG(1f, "alignment checks")
        movl    %cr0, %eax
        orl     $CR0_AM, %eax
        movl    %eax, %cr0
        pushl   $EFLAGS_AC | 2
        popfl
        movl    dummy + 1, %eax                 // not in ring 0
        pushl   $2
        popfl
        CHECK_EQ(trap_vector, $-1)
        EXPECT_FAULT_AT_7(AC, 0, pushl $DS32_USER; pushl $user_stack_top; pushl $EFLAGS_AC | 2; pushl $CS32_USER; pushl $misaligned; iret; misaligned: mov %ss, %eax; movl %eax, %ds; 7: movl dummy + 1, %eax)
        movl    %cr0, %eax
        andl    $~CR0_AM, %eax
        movl    %eax, %cr0
1:      ret

not_present_and_stack:
        movl    $FREE_SELECTOR, %eax
        movb    $DATA_RW, gdt + FREE_SELECTOR + 5
        EXPECT_FAULT(NP, FREE_SELECTOR, movl %eax, %ds)
        EXPECT_FAULT(SS, FREE_SELECTOR, movl %eax, %ss)
        movb    $CODE_XR, gdt + FREE_SELECTOR + 5
        EXPECT_FAULT(NP, FREE_SELECTOR, ljmp $FREE_SELECTOR, $0)
        EXPECT_FAULT(NP, FREE_SELECTOR, lcall $FREE_SELECTOR, $0)
        movb    $SYSTEM_LDT, gdt + FREE_SELECTOR + 5
        EXPECT_FAULT(NP, FREE_SELECTOR, lldt %ax)
        movb    $0x0e, idt + 8 * 0x43 + 5
        EXPECT_FAULT(NP, 8 * 0x43 + 2, int $0x43)
        movb    $0x8e, idt + 8 * 0x43 + 5
        movw    $8 * 0x40 - 1, short_idt
        lidt    short_idt
        EXPECT_FAULT(GP, 8 * 0x44 + 2, int $0x44)       // gate beyond the limit
        lidt    idt_pointer
        movb    $0x8f & ~0xf, idt + 8 * 0x43 + 5
        EXPECT_FAULT(GP, 8 * 0x43 + 2, int $0x43)       // not a gate
        movb    $0x8e, idt + 8 * 0x43 + 5
        movw    $0, idt + 8 * 0x43 + 2
        EXPECT_FAULT(GP, 0, int $0x43)                  // gate with a null selector
        movw    $DS32, idt + 8 * 0x43 + 2
        EXPECT_FAULT(GP, DS32, int $0x43)               // gate to a data segment
        movw    $CS32, idt + 8 * 0x43 + 2
        ret

// A bad stack selector in the TSS, met on the way from ring 3 to ring 0.
invalid_tss:
        // A bad ring 0 stack would fail for the #TS as well, so the gate leads to ring 1.
        movb    $0xee, idt + 8 * 0x43 + 5
        movw    $FREE_SELECTOR | 1, idt + 8 * 0x43 + 2
        movl    $0x0000ffff, gdt + FREE_SELECTOR
        movl    $0x00cfba00, gdt + FREE_SELECTOR + 4    // code, DPL 1
        movl    $0, tss32 + 12
        movl    $FREE_SELECTOR, tss32 + 16              // SS1: not a ring 1 data segment
        EXPECT_FAULT_AT_7(TS, FREE_SELECTOR, pushl $DS32_USER; pushl $user_stack_top; pushl $2; pushl $CS32_USER; pushl $7f; iret; 7: int $0x43)
        movw    $CS32, idt + 8 * 0x43 + 2
        ret

// #NP while delivering #GP is a double fault (both contributory), error code 0.
double_fault:
        movb    $0x0e, idt + 8 * GP + 5
        movl    $FREE_SELECTOR + 0x100, %eax
        EXPECT_FAULT(DF, 0, movl %eax, %ds)
        movb    $0x8e, idt + 8 * GP + 5
        movb    $0x0e, idt + 8 * UD + 5
        SKIP_ON_TCG(1f, "the EXT bit")
        EXPECT_FAULT(NP, 8 * UD + 3, ud2)               // benign + contributory: one after the other; EXT is set
1:      movb    $0x8e, idt + 8 * UD + 5
        ret

        .data
        .align  16
dummy:  .long   0, 0, 0, 0, 0, 0, 0, 0
wide_bounds:
        .long   5, 9
small_bounds:
        .long   0
word:   .word   0
short_idt:
        .word   0
        .long   idt
        .bss
        .skip   4096
user_stack_top:
        .skip   16
        .text

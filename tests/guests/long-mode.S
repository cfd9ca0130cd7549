// SPDX-License-Identifier: Apache-2.0
// Long mode outside paging: the interrupt stack frame, IST, IRETQ, SYSCALL and SYSRET, SYSENTER and SYSEXIT, segment
// bases, SWAPGS, compatibility mode, call gates, and what 64-bit mode forbids.
#define NAME "long-mode"
#include "lib/guest.h"
#include "lib/long.h"

#define SLOT(n) (FREE_SELECTOR + 8 * (n))
#define AREA 0x900000
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_FMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

        .code32
main:   jmp     enter_long_mode

        .code64
main64: // everything in this program may be used by ring 3
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        orl     $P_USER, identity_directory + 8 * \n
        .endr
        movq    %cr3, %rax
        movq    %rax, %cr3
        call    invalid_instructions
        call    interrupt_frame
        call    interrupt_stacks
        call    double_fault
        call    system_calls
        call    fast_system_calls
        call    segment_bases
        call    compatibility_mode
        call    far_transfers
        call    stack_segments
        ret

#define WRITE_MSR(number, low, high) \
        movl    $(number), %ecx; \
        movl    $(low), %eax; \
        movl    $(high), %edx; \
        wrmsr

invalid_instructions:
        .irp    opcode, 0x06, 0x0e, 0x16, 0x1e, 0x07, 0x17, 0x1f, 0x27, 0x37, 0x60, 0x61, 0xce, 0xd6, 0x9a, 0xea
        EXPECT_FAULT64(UD, 0, .byte \opcode, 0, 0, 0, 0, 0, 0)
        .endr
        xorl    %ecx, %ecx
        EXPECT_FAULT64(DE, 0, divq %rcx)
        ret

interrupt_frame:
        movq    %rsp, %rbx
        subq    $24, %rsp                       // whatever the alignment was, the frame starts at a multiple of 16
        movq    $0, trap_hook64
        EXPECT_FAULT64(UD, 0, ud2)
        movl    trap_stack_top, %eax
        andl    $15, %eax
        CHECK_EQ64(%rax, $0)
        pushq   $0
        EXPECT_FAULT64(UD, 0, ud2)
        movl    trap_stack_top, %eax
        andl    $15, %eax
        CHECK_EQ64(%rax, $0)
        movq    %rsp, %rcx
        CHECK_EQ64(trap_rsp, %rcx)              // SS:RSP are pushed even without a change of privilege
        movl    trap_ss, %eax
        CHECK_EQ64(%rax, $DS64)
        movq    %rbx, %rsp
        IN_USER64(nop)
        CHECK_EQ64(trap_stack_top, $ring0_stack_top)
        CHECK_EQ64(trap_rsp, $user_stack64_top)
        movl    trap_ss, %eax
        CHECK_EQ64(%rax, $DS32_USER)
        movl    trap_cs, %eax
        CHECK_EQ64(%rax, $CS64_USER)
        movl    $0x80000000, %eax
        IN_USER64(movl %ss, %edx; mov %cs, %ecx)
        CHECK_EQ64(%rdx, $DS32_USER)
        CHECK_EQ64(%rcx, $CS64_USER)
        EXPECT_USER_FAULT64(GP, 0, cli)
        EXPECT_USER_FAULT64(GP, 0, movq %cr3, %rax)
        EXPECT_USER_FAULT64(GP, 0, swapgs)
        SKIP_ON_TCG64(1f, "the index in the error code of a missing gate")
        EXPECT_USER_FAULT64(GP, 8 * 0x50 + 2, int $0x50)
        movw    $16 * 0x50 - 1, short_idt
        lidt    short_idt
        EXPECT_FAULT64(GP, 8 * 0x50 + 2, int $0x50)
        lidt    idt_pointer64
1:      ret

// IST: a gate may name its own stack, used whatever the privilege.
interrupt_stacks:
        movq    $ist1_top, tss64 + TSS64_IST(1)
        SET_IDT_TYPE64(UD, 0x8e, 1)
        EXPECT_FAULT64(UD, 0, ud2)
        CHECK_EQ64(trap_stack_top, $ist1_top)
        EXPECT_USER_FAULT64(UD, 0, ud2)
        CHECK_EQ64(trap_stack_top, $ist1_top)
        SET_IDT_TYPE64(UD, 0x8e, 0)
        ret

// A stack that cannot be pushed to: #PF while delivering #PF is a double fault, saved by its IST.
double_fault:
        movq    $ist1_top, tss64 + TSS64_IST(1)
        SET_IDT_TYPE64(DF, 0x8e, 1)
        movq    %rsp, saved_rsp
        EXPECT_FAULT64_AT_7(DF, 0, movl $0x70000000, %esp; 7: movb 0x70000000, %al)
        CHECK_EQ64(trap_stack_top, $ist1_top)
        movl    $0x70000000, %eax
        CHECK_EQ64(trap_rsp, %rax)
        // #UD is benign: the page fault of its delivery is reported as such, at the same instruction
        movq    $ist2_top, tss64 + TSS64_IST(2)
        SET_IDT_TYPE64(PF, 0x8e, 2)
        EXPECT_FAULT64_AT_7(PF, PF_WRITE, movl $0x70000000, %esp; 7: ud2)
        CHECK_EQ64(trap_stack_top, $ist2_top)
        movl    $0x6ffffff8, %eax
        CHECK_EQ64(trap_cr2_64, %rax)
        SET_IDT_TYPE64(PF, 0x8e, 0)
        SET_IDT_TYPE64(GP, 0x0e, 0)             // #NP while delivering #GP
        movl    $0x150, %eax
        EXPECT_FAULT64(DF, 0, mov %eax, %ds)
        SET_IDT_TYPE64(GP, 0x8e, 0)
        ret

system_calls:
        WRITE_MSR(MSR_STAR, 0, CS64 | (CS32_USER << 16))
        WRITE_MSR(MSR_LSTAR, syscall_entry, 0)
        WRITE_MSR(MSR_CSTAR, main, 0)
        WRITE_MSR(MSR_FMASK, 0x00000401 | EFLAGS_AC, 0)         // clears CF, DF and AC
        movq    %rsp, resume_rsp
        movq    $3f, resume_at64
        movl    $7, %ebx
        ENTER_USER64(1f, 0x40c03)                               // AC DF OF CF
1:      movl    $2, %edx
        syscall
2:      pushfq
        popq    %r12
        mov     %cs, %r13d
        mov     %ss, %r14d
        int     $USER_EXIT_VECTOR64
syscall_entry:
        pushfq
        popq    %rsi
        movq    %rcx, %r8
        movq    %r11, %r9
        mov     %cs, %r10d
        mov     %ss, %edi
        movq    %rsp, %rbp                                      // SYSCALL does not change the stack
        addq    $1, %rdx
        andq    $~1, %r11
        sysretq
3:      CHECK_EQ64(%r8, $2b)
        andl    $0x47fd7, %r9d
        CHECK_EQ64(%r9, $0x40c03)
        SKIP_ON_TCG64(1f, "arithmetic flags that SYSCALL leaves in RFLAGS")
        andl    $0x47fd7, %esi
        CHECK_EQ64(%rsi, $0x802)
1:
        CHECK_EQ64(%r10, $CS64)
        CHECK_EQ64(%rdi, $DS64)
        CHECK_EQ64(%rbp, $user_stack64_top)
        CHECK_EQ64(%rdx, $3)
        andl    $0x47fd7, %r12d
        CHECK_EQ64(%r12, $0x40c02)                              // flags come back from R11
        CHECK_EQ64(%r13, $CS64_USER)
        CHECK_EQ64(%r14, $DS32_USER)
        EXPECT_USER_FAULT64(GP, 0, sysretq)
        // SYSRET with a 32-bit operand goes to compatibility mode
        movq    %rsp, resume_rsp
        movq    $5f, resume_at64
        movl    $4f, %ecx
        movl    $2, %r11d
        movl    $user_stack64_top, %esp
        sysretl
        .code32
4:      mov     %cs, %ebx
        incl    %ebx
        int     $USER_EXIT_VECTOR64
        .code64
5:      CHECK_EQ64(%rbx, $CS32_USER + 1)
        movabsq $0x0000800000000000, %rcx
        SKIP_ON_TCG64(6f, "SYSRET to an address that is not canonical, SYSCALL in compatibility mode")
        movl    $2, %r11d
        EXPECT_FAULT64(GP, 0, sysretq)                          // Intel: still in ring 0
        movl    $MSR_EFER, %ecx
        rdmsr
        andl    $~EFER_SCE, %eax
        wrmsr
        EXPECT_USER_FAULT64(UD, 0, syscall)
        EXPECT_FAULT64(UD, 0, sysretq)
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_SCE, %eax
        wrmsr
6:      ret

fast_system_calls:
        WRITE_MSR(MSR_SYSENTER_CS, CS32, 0)
        WRITE_MSR(MSR_SYSENTER_ESP, ring0_stack_top, 0)
        WRITE_MSR(MSR_SYSENTER_EIP, 2f, 0)
        movq    %rsp, resume_rsp
        movq    $4f, resume_at64
        ENTER_USER64(1f, 2)
1:      sysenter
        CHECK_NOT_REACHED64
2:      mov     %cs, %ebx
        mov     %ss, %edi
        movq    %rsp, %rsi
        movq    $3f, %rdx
        movq    $user_stack64_top - 32, %rcx
        sysexitq
3:      mov     %cs, %r8d
        mov     %ss, %r9d
        movq    %rsp, %r10
        int     $USER_EXIT_VECTOR64
4:      CHECK_EQ64(%rbx, $CS32)                                 // the selector; the code is 64-bit all the same
        CHECK_EQ64(%rdi, $CS32 + 8)
        CHECK_EQ64(%rsi, $ring0_stack_top)
        CHECK_EQ64(%r8, $CS32 + 32 + 3)
        CHECK_EQ64(%r9, $CS32 + 40 + 3)
        CHECK_EQ64(%r10, $user_stack64_top - 32)
        ret

segment_bases:
        movl    $0x5678, AREA + 0x10
        movl    $0x9abc, AREA + 0x110
        WRITE_MSR(MSR_FS_BASE, AREA, 0)
        WRITE_MSR(MSR_GS_BASE, AREA + 0x100, 0)
        WRITE_MSR(MSR_KERNEL_GS_BASE, AREA, 0)
        movl    %fs:0x10, %eax
        CHECK_EQ64(%rax, $0x5678)
        movl    %gs:0x10, %eax
        CHECK_EQ64(%rax, $0x9abc)
        swapgs
        movl    %gs:0x10, %eax
        CHECK_EQ64(%rax, $0x5678)
        swapgs
        movl    %gs:0x10, %eax
        CHECK_EQ64(%rax, $0x9abc)
        // bases of the other segments are ignored, limits too
        SET_DESCRIPTOR(SLOT(0), AREA, 0, PRESENT | DATA_RW, FLAGS_32BIT_BYTES)
        movl    $SLOT(0), %eax
        mov     %eax, %ds
        mov     %eax, %es
        movl    AREA + 0x10, %ebx
        CHECK_EQ64(%rbx, $0x5678)
        SKIP_ON_TCG64(1f, "an ES override in 64-bit mode")
        movl    %es:AREA + 0x110, %ebx
        CHECK_EQ64(%rbx, $0x9abc)
1:      mov     %eax, %fs                                       // loading FS replaces its base by the descriptor's
        movl    $MSR_FS_BASE, %ecx
        rdmsr
        CHECK_EQ64(%rax, $AREA)
        WRITE_MSR(MSR_FS_BASE, 0x12345678, 0x1234)
        rdmsr
        CHECK_EQ64(%rax, $0x12345678)
        CHECK_EQ64(%rdx, $0x1234)
        xorl    %eax, %eax
        mov     %eax, %ds                                       // null segments work in 64-bit mode
        mov     %eax, %es
        movl    AREA + 0x10, %ebx
        CHECK_EQ64(%rbx, $0x5678)
        // a negative base
        WRITE_MSR(MSR_GS_BASE, 0xfffffff0, 0xffffffff)
        movl    %gs:AREA + 0x20, %ebx
        CHECK_EQ64(%rbx, $0x5678)
        movl    $DS64, %eax
        mov     %eax, %ds
        mov     %eax, %es
        ret

// 32-bit code under long mode: 32-bit registers and addresses, segments as ever, exceptions into 64-bit handlers.
compatibility_mode:
        movabsq $0x1122334455667788, %r15
        movabsq $0xaabbccddeeff0011, %rax
        movq    %rsp, saved_rsp
        pushq   $CS32
        pushq   $1f
        lretq
        .code32
1:      incl    %eax                                            // 40: INC again, not REX
        movl    $0x1000, %ebx
        movl    %eax, AREA
        .byte   0x48                                            // DEC EAX
        call    2f
        jmp     3f
2:      movl    %esp, %ecx
        ret
3:      ljmp    $CS64, $4f
        .code64
4:      CHECK_EQ64(%rsp, saved_rsp)
        movl    %eax, %eax
        movl    $0xeeff0011, %edx
        CHECK_EQ64(%rax, %rdx)
        leal    -4(%rsp), %edx
        CHECK_EQ64(%rcx, %rdx)
        CHECK_EQ64(%r15, saved_r15)
        movl    AREA, %eax
        movl    $0xeeff0012, %edx
        CHECK_EQ64(%rax, %rdx)
        // a fault in compatibility mode
        movq    %rsp, resume_rsp
        movq    $2f, resume_at64
        movq    $1f, expected_rip
        movl    $UD, expected_vector
        movl    $0, expected_error
        pushq   $CS32
        pushq   $1f
        lretq
        .code32
1:      ud2
        .code64
2:      call    check_trap64
        movl    trap_cs, %eax
        CHECK_EQ64(%rax, $CS32)
        // from ring 3 by INT, with IRETQ to 32-bit user code
        movq    %rsp, resume_rsp
        movq    $2f, resume_at64
        movl    $DS32_USER, %eax
        mov     %eax, %ds
        pushq   $DS32_USER
        pushq   $user_stack64_top
        pushq   $2
        pushq   $CS32_USER
        pushq   $1f
        iretq
        .code32
1:      mov     %cs, %ebx
        pushl   %ebx
        popl    %edx
        int     $USER_EXIT_VECTOR64
        .code64
2:      CHECK_EQ64(%rbx, $CS32_USER)
        CHECK_EQ64(%rdx, $CS32_USER)
        ret

far_transfers:
        // a 64-bit call gate is 16 bytes long
        movl    $2f, %eax
        movw    %ax, gdt + SLOT(2)
        movw    $CS64, gdt + SLOT(2) + 2
        movw    $0xec00, gdt + SLOT(2) + 4
        shrl    $16, %eax
        movw    %ax, gdt + SLOT(2) + 6
        movq    $0, gdt + SLOT(3)
        movw    $SLOT(2) | 3, far_pointer + 4
        movq    %rsp, resume_rsp
        movq    $3f, resume_at64
        ENTER_USER64(1f, 2)
1:      lcall   *far_pointer
        movq    %rsp, %rdi
        int     $USER_EXIT_VECTOR64
2:      movq    %rsp, %rbx
        mov     %ss, %r8d                                       // null: there is no SS in the 64-bit TSS
        movq    8(%rsp), %r9
        movq    16(%rsp), %r10
        lretq
3:      CHECK_EQ64(%rdi, $user_stack64_top)
        CHECK_EQ64(%rbx, $ring0_stack_top - 32)
        CHECK_EQ64(%r8, $0)
        CHECK_EQ64(%r9, $CS64_USER)
        CHECK_EQ64(%r10, $user_stack64_top)
        // L and D together are reserved
        SKIP_ON_TCG64(1f, "code segments with L and D")
        SET_DESCRIPTOR(SLOT(1), 0, 0xfffff, PRESENT | CODE_XR, 0xe)
        movw    $SLOT(1), far_pointer + 4
        EXPECT_FAULT64(GP, SLOT(1), ljmp *far_pointer)
1:      movw    $TSS_SELECTOR, far_pointer + 4                  // no task switches
        EXPECT_FAULT64(GP, TSS_SELECTOR, ljmp *far_pointer)
        EXPECT_FAULT64_AT_7(GP, 0, pushfq; orq $EFLAGS_NT, (%rsp); popfq; 7: iretq)
        ret

stack_segments:
        xorl    %eax, %eax
        mov     %eax, %ss                                       // allowed in 64-bit mode below CPL 3
        pushq   $0x77
        popq    %rbx
        CHECK_EQ64(%rbx, $0x77)
        movl    $DS64, %eax
        mov     %eax, %ss
        xorl    %eax, %eax
        EXPECT_USER_FAULT64(GP, 0, mov %eax, %ss)
        // pushes and pops of 16 and 64 bits, never 32
        movq    %rsp, %rcx
        pushw   $0x1234
        movq    %rsp, %rdx
        popw    %bx
        subq    %rdx, %rcx
        CHECK_EQ64(%rcx, $2)
        CHECK_EQ64(%rbx, $0x1234)
        ret

        .data
        .align  16
saved_rsp:      .quad 0
saved_r15:      .quad 0x1122334455667788
far_pointer:    .long 0, 0
short_idt:      .word 0
                .quad idt
        .bss
        .align  16
        .skip   1024
ist1_top:
        .skip   1024
ist2_top:
        .skip   16
        .text

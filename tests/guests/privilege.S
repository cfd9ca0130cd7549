// SPDX-License-Identifier: Apache-2.0
// Changes of privilege in 32-bit protected mode: gates, far transfers, IRET, conforming code, I/O permission, SYSENTER.
#define NAME "privilege"
#include "lib/guest.h"
#include "lib/user32.h"

#define SLOT(n) (FREE_SELECTOR + 8 * (n))
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

main:
        call    open_user_exit
        call    interrupt_from_user
        call    data_segments_on_return
        call    privileged_instructions
        call    flags_of_the_user
        call    port_permissions
        call    far_calls
        call    call_gates
        call    conforming_code
        call    interrupt_gates
        call    bad_returns
        call    fast_system_calls
        ret

interrupt_from_user:
        movl    $0x1234, %ebx
        IN_USER(mov %cs, %ecx; mov %ss, %edx; movl %esp, %esi; addl $1, %ebx)
        CHECK_EQ(%ecx, $CS32_USER)
        CHECK_EQ(%edx, $DS32_USER)
        CHECK_EQ(%esi, $user_stack_top)
        CHECK_EQ(%ebx, $0x1235)
        CHECK_EQ(trap_cs, $CS32_USER)
        CHECK_EQ(trap_ss, $DS32_USER)
        CHECK_EQ(trap_esp, $user_stack_top)
        // the frame lies at the top of the stack that the TSS names: 5 words, then what the stub pushed
        CHECK_EQ(trap_frame, $ring0_stack_top - 60)
        CHECK_EQ(trap_error, $0)
        // software interrupts need a gate for CPL 3, exceptions do not
        EXPECT_USER_FAULT(GP, 8 * 0x50 + 2, int $0x50)
        EXPECT_USER_FAULT(GP, 8 * 13 + 2, int $13)
        EXPECT_USER_FAULT(UD, 0, ud2)
        ret

data_segments_on_return:
        movl    %esp, resume_esp
        movl    $2f, resume_at
        movl    $DS32_USER, %eax
        mov     %eax, %es
        movl    $DS32, %eax
        mov     %eax, %fs                       // DPL 0: null in ring 3
        pushl   $DS32_USER
        pushl   $user_stack_top
        pushl   $2
        pushl   $CS32_USER
        pushl   $1f
        iret
1:      mov     %es, %ebx
        mov     %fs, %ecx
        mov     %ds, %edx
        int     $USER_EXIT_VECTOR
2:      CHECK_EQ(%ebx, $DS32_USER)
        CHECK_EQ(%ecx, $0)
        CHECK_EQ(%edx, $0)
        ret

privileged_instructions:
        EXPECT_USER_FAULT(GP, 0, hlt)
        EXPECT_USER_FAULT(GP, 0, cli)
        EXPECT_USER_FAULT(GP, 0, sti)
        EXPECT_USER_FAULT(GP, 0, clts)
        EXPECT_USER_FAULT(GP, 0, movl %cr0, %eax)
        EXPECT_USER_FAULT(GP, 0, movl %eax, %cr3)
        EXPECT_USER_FAULT(GP, 0, movl %dr7, %eax)
        EXPECT_USER_FAULT(GP, 0, lgdt gdt_pointer)
        EXPECT_USER_FAULT(GP, 0, lidt idt_pointer)
        EXPECT_USER_FAULT(GP, 0, lldt %ax)
        EXPECT_USER_FAULT(GP, 0, ltr %ax)
        EXPECT_USER_FAULT(GP, 0, lmsw %ax)
        EXPECT_USER_FAULT(GP, 0, invlpg 0x1000)
        EXPECT_USER_FAULT(GP, 0, wbinvd)
        EXPECT_USER_FAULT(GP, 0, rdmsr)
        EXPECT_USER_FAULT(GP, 0, wrmsr)
        IN_USER(smsw %eax)
        andl    $1, %eax
        CHECK_EQ(%eax, $1)
        movl    %cr4, %eax
        orl     $CR4_TSD, %eax
        movl    %eax, %cr4
        EXPECT_USER_FAULT(GP, 0, rdtsc)
        rdtsc
        movl    %cr4, %eax
        andl    $~CR4_TSD, %eax
        movl    %eax, %cr4
        IN_USER(rdtsc)
        movl    $DS32, %eax
        EXPECT_USER_FAULT(GP, DS32, mov %eax, %ds)
        xorl    %eax, %eax
        EXPECT_USER_FAULT(GP, 0, mov %eax, %ss)
        ret

// POPF at CPL 3 cannot change IOPL, nor IF when IOPL is lower.
flags_of_the_user:
        IN_USER(pushl $0x3200 | 0x40001; popfl; pushfl; popl %eax)
        CHECK_EQ(%eax, $0x40003)
        movl    %esp, resume_esp
        movl    $2f, resume_at
        ENTER_USER(1f, 0x3002)                  // IOPL 3
1:      pushl   $0x201
        popfl                                   // IF can be set, IOPL cannot be lowered
        pushfl
        popl    %eax
        cli
        pushfl
        popl    %ebx
        inb     $0x61, %al
        movb    $0, %al
        int     $USER_EXIT_VECTOR
2:      CHECK_EQ(%ebx, $0x3003)
        andl    $0xff00, %eax
        CHECK_EQ(%eax, $0x3200)
        ret

port_permissions:
        EXPECT_USER_FAULT(GP, 0, inb $0x61, %al)
        movw    $104, tss32 + 102               // an I/O bitmap right behind the TSS
        movw    $104 + 32, gdt + TSS_SELECTOR   // limit: ports 0-0xff
        movb    $0x89, gdt + TSS_SELECTOR + 5   // available again
        movl    $tss32 + 104, %edi
        movl    $33, %ecx
        movb    $0xff, %al
        rep stosb
        andb    $~0x02, tss32 + 104 + 0x61 / 8  // open port 0x61
        movl    $TSS_SELECTOR, %eax
        ltr     %ax
        IN_USER(inb $0x61, %al)
        CHECK_EQ(trap_cs, $CS32_USER)
        EXPECT_USER_FAULT(GP, 0, inb $0x62, %al)
        EXPECT_USER_FAULT(GP, 0, inw $0x61, %ax)        // every byte needs its bit
        EXPECT_USER_FAULT(GP, 0, inb $0x60, %al)
        movl    $0x100, %edx
        EXPECT_USER_FAULT(GP, 0, inb %dx, %al)          // beyond the bitmap
        movw    $0x67, gdt + TSS_SELECTOR
        movb    $0x89, gdt + TSS_SELECTOR + 5
        movl    $TSS_SELECTOR, %eax
        ltr     %ax
        ret

far_calls:
        SET_DESCRIPTOR(SLOT(0), 0, 0xfffff, PRESENT | CODE_XR, FLAGS_32BIT_4K)
        movl    %esp, %esi
        lcall   $SLOT(0), $1f
        CHECK_EQ(%ebx, $SLOT(0))
        CHECK_EQ(%esp, %esi)
        jmp     2f
1:      mov     %cs, %ebx
        lret
2:      pushl   $0xfeed
        lcall   $SLOT(0), $1f
        CHECK_EQ(%esp, %esi)
        CHECK_EQ(%ebx, $0xfeed)
        jmp     2f
1:      movl    8(%esp), %ebx
        lret    $4
2:      EXPECT_FAULT(GP, DS32, ljmp $DS32, $main)               // not code
        EXPECT_FAULT(GP, CS32_USER & ~3, ljmp $CS32_USER, $main) // less privileged code
        EXPECT_FAULT(GP, 0, lcall $0, $main)
        ret

// From ring 3 through a gate into ring 0, copying parameters from one stack to the other.
call_gates:
        SET_GATE(gdt, SLOT(1) / 8, CS32, gate_target, PRESENT | DPL3 | SYSTEM_CALL_GATE32, 3)
        SET_GATE(gdt, SLOT(2) / 8, CS32, gate_target, PRESENT | SYSTEM_CALL_GATE32, 0)
        movl    $0, gate_frame
        IN_USER(pushl $0x11; pushl $0x22; pushl $0x33; lcall $SLOT(1) | 3, $0xdead; 7: movl %esp, %esi; mov %cs, %edi)
        CHECK_EQ(%edi, $CS32_USER)
        CHECK_EQ(%esi, $user_stack_top)                 // LRET 12 removed the parameters from both stacks
        CHECK_EQ(gate_frame, $7b)
        CHECK_EQ(gate_frame + 4, $CS32_USER)
        CHECK_EQ(gate_frame + 8, $0x33)
        CHECK_EQ(gate_frame + 12, $0x22)
        CHECK_EQ(gate_frame + 16, $0x11)
        CHECK_EQ(gate_frame + 20, $user_stack_top - 12)
        CHECK_EQ(gate_frame + 24, $DS32_USER)
        CHECK_EQ(gate_stack, $ring0_stack_top - 28)
        CHECK_EQ(gate_cs, $CS32)
        CHECK_EQ(gate_ss, $DS32)
        EXPECT_USER_FAULT(GP, SLOT(2), lcall $SLOT(2), $0)      // DPL of the gate
        EXPECT_USER_FAULT(GP, CS32, ljmp $SLOT(1) | 3, $0)      // JMP never raises the privilege
        EXPECT_USER_FAULT(GP, CS32, ljmp $CS32, $main)
        // from ring 0 the same gate leads to the same ring: no parameters, no other stack
        movl    %esp, %esi
        SET_GATE(gdt, SLOT(2) / 8, CS32, 1f, PRESENT | SYSTEM_CALL_GATE32, 3)
        lcall   $SLOT(2), $0
        CHECK_EQ(%esp, %esi)
        jmp     2f
1:      lret
2:      SET_GATE(gdt, SLOT(2) / 8, CS32, gate_target, SYSTEM_CALL_GATE32, 0)
        EXPECT_FAULT(NP, SLOT(2), lcall $SLOT(2), $0)
        SET_GATE(gdt, SLOT(2) / 8, 0, gate_target, PRESENT | SYSTEM_CALL_GATE32, 0)
        EXPECT_FAULT(GP, 0, lcall $SLOT(2), $0)
        ret
gate_target:
        pushl   %eax
        pushl   %ebx
        movl    $DS32, %eax
        mov     %eax, %ds
        leal    8(%esp), %eax
        movl    %eax, gate_stack
        mov     %cs, gate_cs
        mov     %ss, gate_ss
        .irp    at, 0, 4, 8, 12, 16, 20, 24
        movl    8 + \at(%esp), %ebx
        movl    %ebx, gate_frame + \at
        .endr
        movl    $DS32_USER, %eax
        mov     %eax, %ds
        popl    %ebx
        popl    %eax
        lret    $12

// Conforming code runs with the privilege of its caller.
conforming_code:
        SET_DESCRIPTOR(SLOT(3), 0, 0xfffff, PRESENT | CODE_CONFORMING_XR, FLAGS_32BIT_4K)
        movl    %esp, resume_esp
        movl    $3f, resume_at
        ENTER_USER(1f, 2)
1:      lcall   $SLOT(3), $2f
        mov     %cs, %edi
        int     $USER_EXIT_VECTOR
2:      mov     %cs, %ebx
        lret
3:      CHECK_EQ(%ebx, $SLOT(3) | 3)
        CHECK_EQ(%edi, $CS32_USER)
        SET_DESCRIPTOR(SLOT(3), 0, 0xfffff, PRESENT | DPL3 | CODE_CONFORMING_XR, FLAGS_32BIT_4K)
        EXPECT_FAULT(GP, SLOT(3), ljmp $SLOT(3), $main)         // its DPL is a lower bound
        ret

// Interrupt gates clear IF, trap gates do not; both clear TF, NT, RF.
interrupt_gates:
        SET_GATE(idt, 0x60, CS32, 1f, PRESENT | SYSTEM_INTERRUPT_GATE32, 0)
        SET_GATE(idt, 0x61, CS32, 1f, PRESENT | SYSTEM_TRAP_GATE32, 0)
        pushl   $EFLAGS_NT | 0x3000 | 0x203
        popfl
        int     $0x60
        CHECK_EQ(%ebx, $0x3003)
        CHECK_EQ(%ecx, $0x7203)
        int     $0x61
        CHECK_EQ(%ebx, $0x3203)
        CHECK_EQ(%ecx, $0x7203)
        pushl   $2
        popfl
        ret
1:      pushfl
        popl    %ebx
        movl    8(%esp), %ecx
        iret

bad_returns:
        movl    %esp, %esi
        EXPECT_FAULT_AT_7(GP, DS32, pushl $2; pushl $DS32; pushl $main; 7: iret)
        EXPECT_FAULT_AT_7(GP, 0, pushl $2; pushl $0; pushl $main; 7: iret)
        EXPECT_FAULT_AT_7(GP, 0, pushl $0; pushl $user_stack_top; pushl $2; pushl $CS32_USER; pushl $main; 7: iret)
        EXPECT_FAULT_AT_7(GP, DS32, pushl $DS32; pushl $user_stack_top; pushl $2; pushl $CS32_USER; pushl $main; 7: iret)
        EXPECT_FAULT_AT_7(GP, CS32_USER & ~3, pushl $2; pushl $CS32_USER & ~3; pushl $main; 7: iret)
        EXPECT_FAULT_AT_7(GP, DS32, pushl $DS32; pushl $main; 7: lret)
        CHECK_EQ(%esp, %esi)
        ret

fast_system_calls:
        movl    $1, %eax
        cpuid
        testl   $1 << 11, %edx
        jnz     1f
        PRINT("no SYSENTER here\n")
        ret
1:      xorl    %eax, %eax
        xorl    %edx, %edx
        movl    $MSR_SYSENTER_CS, %ecx
        wrmsr
        EXPECT_USER_FAULT(GP, 0, sysenter)
        EXPECT_FAULT(GP, 0, sysexit)
        movl    $CS32, %eax
        wrmsr
        movl    $MSR_SYSENTER_ESP, %ecx
        movl    $ring0_stack_top, %eax
        wrmsr
        movl    $MSR_SYSENTER_EIP, %ecx
        movl    $2f, %eax
        wrmsr
        movl    %esp, resume_esp
        movl    $4f, resume_at
        ENTER_USER(1f, 0x40002)
1:      sysenter
        CHECK_NOT_REACHED
2:      mov     %cs, %ebx                       // CPL 0, IF and RF clear, ESP from the MSR
        mov     %ss, %ecx
        movl    %esp, %esi
        movl    $DS32_USER, %eax
        mov     %eax, %ds
        movl    $3f, %edx
        movl    $user_stack_top - 16, %ecx
        sysexit
3:      mov     %cs, %edi
        mov     %ss, %ebp
        int     $USER_EXIT_VECTOR
4:      CHECK_EQ(%ebx, $CS32)
        CHECK_EQ(%esi, $ring0_stack_top)
        CHECK_EQ(%edi, $CS32_USER)
        CHECK_EQ(%ebp, $DS32_USER)
        CHECK_EQ(trap_esp, $user_stack_top - 16)
        EXPECT_USER_FAULT(GP, 0, sysexit)
        ret

        .data
        .align  4
gate_frame:     .long 0, 0, 0, 0, 0, 0, 0
gate_stack:     .long 0
gate_cs:        .long 0
gate_ss:        .long 0
        .text

// SPDX-License-Identifier: Apache-2.0
// Hardware task switches in 32-bit protected mode: JMP, CALL and IRET between tasks, a task gate, and a double fault
// whose handler is a task of its own because the stack is gone. SDM 3A chapter 7.
#define NAME "task-switch"
#include "lib/guest.h"
#include "lib/pages32.h"

#define SLOT(n) (FREE_SELECTOR + 8 * (n))
#define TSS2_SELECTOR SLOT(0)
#define TSS3_SELECTOR SLOT(1)
#define TASK_GATE SLOT(2)
#define TSS_LINK 0
#define TSS_CR3 28
#define TSS_EIP 32
#define TSS_EFLAGS 36
#define TSS_EAX 40
#define TSS_EBX 52
#define TSS_ESP 56
#define TSS_ES 72
#define TSS_CS 76
#define TSS_SS 80
#define TSS_DS 84
#define TSS_FS 88
#define TSS_GS 92
#define TSS_LDT 96
#define TSS_TRAP 100
#define TSS_IOMAP 102

main:
        call    start_paging
        call    jump_to_task
        call    call_task
        call    gate_to_task
        call    invalid_tasks
        call    double_fault_task
        ret

// EDI: TSS, ESI: entry point, EBX: stack, EDX: selector
make_task:
        pushal
        movl    %edi, %ebp
        xorl    %eax, %eax
        movl    $26, %ecx
        rep stosl
        movl    %cr3, %eax
        movl    %eax, TSS_CR3(%ebp)
        movl    %esi, TSS_EIP(%ebp)
        movl    $2, TSS_EFLAGS(%ebp)
        movl    %ebx, TSS_ESP(%ebp)
        movl    $CS32, TSS_CS(%ebp)
        movl    $DS32, TSS_SS(%ebp)
        movl    $DS32, TSS_DS(%ebp)
        movl    $DS32, TSS_ES(%ebp)
        movw    $104, TSS_IOMAP(%ebp)
        movw    $0x67, gdt(%edx)
        movw    %bp, gdt + 2(%edx)
        shrl    $16, %ebp
        movl    %ebp, %eax
        movb    %al, gdt + 4(%edx)
        movb    $PRESENT | SYSTEM_TSS32, gdt + 5(%edx)
        movb    $0, gdt + 6(%edx)
        movb    %ah, gdt + 7(%edx)
        popal
        ret

#define MAKE_TASK(tss, selector, entry, stack) \
        movl    $tss, %edi; \
        movl    $entry, %esi; \
        movl    $stack, %ebx; \
        movl    $selector, %edx; \
        call    make_task

jump_to_task:
        MAKE_TASK(tss_two, TSS2_SELECTOR, second_task, stack_two)
        movl    $0x1111, tss_two + TSS_EAX
        movl    %cr3, %eax
        movl    %eax, tss32 + TSS_CR3           // a switch does not save CR3
        movl    $0x2222, %ebx
        movl    %esp, %ebp
        stc
        ljmp    $TSS2_SELECTOR, $0
        // back here by the other task's JMP
        CHECK_EQ(%ebx, $0x2222)
        CHECK_EQ(%esp, %ebp)
        CHECK_EQ(seen_eax, $0x1111)
        CHECK_EQ(seen_esp, $stack_two)
        str     %ecx
        CHECK_EQ(%ecx, $TSS_SELECTOR)
        CHECK_EQ(tss_two + TSS_EAX, $0x3333)    // its state was saved
        CHECK_EQ(tss_two + TSS_EIP, $second_task_again)
        movzbl  gdt + TSS2_SELECTOR + 5, %ecx
        CHECK_EQ(%ecx, $PRESENT | SYSTEM_TSS32) // not busy any more
        movzbl  gdt + TSS_SELECTOR + 5, %ecx
        CHECK_EQ(%ecx, $PRESENT | SYSTEM_TSS32 | 2)
        movl    %cr0, %ecx
        andl    $CR0_TS, %ecx
        CHECK_EQ(%ecx, $CR0_TS)                 // every switch sets TS
        clts
        ret
second_task:
        movl    %eax, seen_eax
        movl    %esp, seen_esp
        movl    $0x3333, %eax
        ljmp    $TSS_SELECTOR, $0
second_task_again:
        hlt

call_task:
        MAKE_TASK(tss_two, TSS2_SELECTOR, called_task, stack_two)
        movl    $7, %ebx
        lcall   $TSS2_SELECTOR, $0
        CHECK_EQ(%ebx, $7)
        CHECK_EQ(tss_two + TSS_LINK, $TSS_SELECTOR)
        CHECK_EQ(seen_flags, $EFLAGS_NT | 2)
        pushfl
        popl    %ecx
        andl    $EFLAGS_NT, %ecx
        CHECK_EQ(%ecx, $0)
        movzbl  gdt + TSS2_SELECTOR + 5, %ecx
        CHECK_EQ(%ecx, $PRESENT | SYSTEM_TSS32)
        lcall   $TSS2_SELECTOR, $0              // goes on where it left off
        CHECK_EQ(called_twice, $1)
        clts
        ret
called_task:
        pushfl
        popl    seen_flags
        iret                                    // NT is set: back to the caller's task
        incl    called_twice
        iret

gate_to_task:
        MAKE_TASK(tss_three, TSS3_SELECTOR, interrupt_task, stack_three)
        movw    $TSS3_SELECTOR, idt + 8 * 0x70 + 2
        movw    $(PRESENT | SYSTEM_TASK_GATE) << 8, idt + 8 * 0x70 + 4
        int     $0x70
        int     $0x70
        CHECK_EQ(interrupt_tasks, $2)
        movw    $TSS3_SELECTOR, gdt + TASK_GATE + 2
        movw    $(PRESENT | SYSTEM_TASK_GATE) << 8, gdt + TASK_GATE + 4
        lcall   $TASK_GATE, $0
        CHECK_EQ(interrupt_tasks, $3)
        clts
        ret
interrupt_task:
        incl    interrupt_tasks
        iret
        jmp     interrupt_task

invalid_tasks:
        EXPECT_FAULT(GP, TSS_SELECTOR, ljmp $TSS_SELECTOR, $0)  // busy
        MAKE_TASK(tss_two, TSS2_SELECTOR, second_task, stack_two)
        movb    $SYSTEM_TSS32, gdt + TSS2_SELECTOR + 5
        EXPECT_FAULT(NP, TSS2_SELECTOR, ljmp $TSS2_SELECTOR, $0)
        movb    $PRESENT | SYSTEM_TSS32, gdt + TSS2_SELECTOR + 5
        movw    $0x66, gdt + TSS2_SELECTOR
        EXPECT_FAULT(TS, TSS2_SELECTOR, ljmp $TSS2_SELECTOR, $0) // too short
        movw    $0x67, gdt + TSS2_SELECTOR
        EXPECT_FAULT_AT_7(TS, 0, pushfl; orl $EFLAGS_NT, (%esp); popfl; 7: iret)        // no task to return to
        pushl   $2
        popfl
        ret

// With no stack to push to, #PF becomes #DF; its task gate brings a good stack.
double_fault_task:
        MAKE_TASK(tss_three, TSS3_SELECTOR, double_fault_handler, stack_three)
        movw    $TSS3_SELECTOR, idt + 8 * DF + 2
        movw    $(PRESENT | SYSTEM_TASK_GATE) << 8, idt + 8 * DF + 4
        movl    %esp, saved_stack
        movl    $0x80000000, %esp
overflow:
        pushl   %eax
        CHECK_NOT_REACHED
recovered:
        movl    saved_stack, %esp
        CHECK_EQ(seen_error, $0)
        CHECK_EQ(seen_link, $TSS_SELECTOR)
        CHECK_EQ(tss32 + TSS_ESP, $recovered_stack)
        movl    %cr2, %eax
        CHECK_EQ(%eax, $0x7ffffffc)
        CHECK_EQ(seen_eip, $overflow)
        clts
        ret
double_fault_handler:
        popl    seen_error
        movl    tss32 + TSS_EIP, %eax
        movl    %eax, seen_eip
        movzwl  tss_three + TSS_LINK, %eax
        movl    %eax, seen_link
        movl    $recovered, tss32 + TSS_EIP     // nested: IRET goes back to the first task
        movl    $recovered_stack, tss32 + TSS_ESP
        iret

        .data
        .align  4
seen_eax:       .long 0
seen_esp:       .long 0
seen_flags:     .long 0
seen_error:     .long -1
seen_link:      .long 0
seen_eip:       .long 0
called_twice:   .long 0
interrupt_tasks: .long 0
saved_stack:    .long 0
        .bss
        .align  128
tss_two:        .skip 128
tss_three:      .skip 128
        .skip   1024
stack_two:
        .skip   1024
stack_three:
        .skip   1024
recovered_stack:
        .text

// SPDX-License-Identifier: Apache-2.0
// Task switches between 32-bit and 16-bit tasks: JMP, CALL and IRET, a task gate with and without an error code, the 16-bit
// format of the task-state segment, and a task that begins in virtual-8086 mode. SDM 3A chapter 7.
#define NAME "task-switch16"
#include "lib/guest.h"

#define SLOT(n) (FREE_SELECTOR + 8 * (n))
#define SMALL_TSS SLOT(0)
#define SMALL_CODE SLOT(1)
#define SMALL_DATA SLOT(2)
#define SMALL_STACK SLOT(3)
#define V86_TSS SLOT(4)
#define SYSTEM_TSS16 0x01
#define BUSY 2
#define EFLAGS_IOPL3 0x3000
#define EFLAGS_VM 0x20000

// Where the 16-bit task lives: its TSS, code, stack, and what it notes down.
#define TSS 0x20000
#define CODE 0x21000
#define STACK 0x22000
#define NOTES 0x23000
#define STACK_TOP 0x800
#define V86_CODE 0x24000
#define V86_STACK 0x25000

// SDM 3A figure 7-10.
#define TSS_LINK 0x00
#define TSS_IP 0x0e
#define TSS_FLAGS 0x10
#define TSS_AX 0x12
#define TSS_CX 0x14
#define TSS_DX 0x16
#define TSS_BX 0x18
#define TSS_SP 0x1a
#define TSS_BP 0x1c
#define TSS_SI 0x1e
#define TSS_DI 0x20
#define TSS_ES 0x22
#define TSS_CS 0x24
#define TSS_SS 0x26
#define TSS_DS 0x28
#define TSS_LDT 0x2a
#define TSS_BYTES 0x2c

#define CHECK_WORD(address, expected) \
        movzwl  address, %ecx; \
        CHECK_EQ(%ecx, expected)

// Makes the 16-bit task begin at a label of its code.
#define MAKE_SMALL_TASK(entry) \
        movl    $(entry) - small_code, %esi; \
        call    make_small_task

main:
        SET_DESCRIPTOR(SMALL_CODE, CODE, 0xffff, PRESENT | CODE_XR, FLAGS_16BIT_BYTES)
        SET_DESCRIPTOR(SMALL_DATA, NOTES, 0xffff, PRESENT | DATA_RW, FLAGS_16BIT_BYTES)
        SET_DESCRIPTOR(SMALL_STACK, STACK, 0xffff, PRESENT | DATA_RW, FLAGS_16BIT_BYTES)
        movl    $small_code, %esi
        movl    $CODE, %edi
        movl    $small_code_end - small_code, %ecx
        rep movsb
        call    jump_to_task
        call    call_task
        call    gate_to_task
        call    error_code
        call    too_short
        call    virtual_8086_task
        ret

// ESI: offset of the entry point. EAX, ECX and EDI are lost.
make_small_task:
        movl    $TSS, %edi
        xorl    %eax, %eax
        movl    $TSS_BYTES, %ecx
        rep stosb
        movw    %si, TSS + TSS_IP
        movw    $2, TSS + TSS_FLAGS
        movw    $STACK_TOP, TSS + TSS_SP
        movw    $SMALL_CODE, TSS + TSS_CS
        movw    $SMALL_STACK, TSS + TSS_SS
        movw    $SMALL_DATA, TSS + TSS_DS
        movw    $SMALL_DATA, TSS + TSS_ES
        SET_DESCRIPTOR(SMALL_TSS, TSS, TSS_BYTES - 1, PRESENT | SYSTEM_TSS16, FLAGS_16BIT_BYTES)
        ret

jump_to_task:
        MAKE_SMALL_TASK(jumped)
        movw    $0x1111, TSS + TSS_AX
        movw    $0x2222, TSS + TSS_BX
        movw    $0x3333, TSS + TSS_SI
        movw    $0x4444, TSS + TSS_BP
        movl    $0x89abcdef, %ebx
        movl    $0x76543210, %esi
        movl    %esp, %ebp
        ljmp    $SMALL_TSS, $0
        // All 32 bits of a 32-bit task come back.
        CHECK_EQ(%ebx, $0x89abcdef)
        CHECK_EQ(%esi, $0x76543210)
        CHECK_EQ(%esp, %ebp)
        CHECK_WORD(NOTES + 0, $0x1111)
        CHECK_WORD(NOTES + 2, $0x2222)
        CHECK_WORD(NOTES + 4, $0x3333)
        CHECK_WORD(NOTES + 6, $0x4444)
        CHECK_WORD(NOTES + 8, $STACK_TOP)
        CHECK_WORD(NOTES + 10, $2)
        CHECK_WORD(NOTES + 12, $SMALL_DATA)
        CHECK_WORD(NOTES + 14, $SMALL_TSS)
        // What the 16-bit task left behind.
        CHECK_WORD(TSS + TSS_AX, $0x5555)
        CHECK_WORD(TSS + TSS_DX, $0x6666)
        CHECK_WORD(TSS + TSS_SP, $STACK_TOP - 2)
        CHECK_WORD(TSS + TSS_IP, $jumped_again - small_code)
        CHECK_WORD(TSS + TSS_LDT, $0)
        movzwl  TSS + TSS_FLAGS, %ecx
        andl    $EFLAGS_CF | EFLAGS_NT, %ecx
        CHECK_EQ(%ecx, $EFLAGS_CF)
        movzbl  gdt + SMALL_TSS + 5, %ecx
        CHECK_EQ(%ecx, $PRESENT | SYSTEM_TSS16)
        ljmp    $SMALL_TSS, $0
        CHECK_WORD(NOTES + 16, $0x7777)
        clts
        ret

call_task:
        MAKE_SMALL_TASK(called)
        movl    $0x13572468, %ebx
        lcall   $SMALL_TSS, $0
        CHECK_EQ(%ebx, $0x13572468)
        CHECK_WORD(TSS + TSS_LINK, $TSS_SELECTOR)
        movzwl  NOTES + 18, %ecx
        andl    $EFLAGS_NT, %ecx
        CHECK_EQ(%ecx, $EFLAGS_NT)
        CHECK_WORD(NOTES + 20, $PRESENT | SYSTEM_TSS16 | BUSY)
        movzbl  gdt + SMALL_TSS + 5, %ecx
        CHECK_EQ(%ecx, $PRESENT | SYSTEM_TSS16)
        pushfl
        popl    %ecx
        andl    $EFLAGS_NT, %ecx
        CHECK_EQ(%ecx, $0)
        clts
        ret

gate_to_task:
        MAKE_SMALL_TASK(interrupted)
        movw    $0, NOTES + 22
        movw    $SMALL_TSS, idt + 8 * 0x70 + 2
        movw    $(PRESENT | SYSTEM_TASK_GATE) << 8, idt + 8 * 0x70 + 4
        int     $0x70
        int     $0x70
        CHECK_WORD(NOTES + 22, $2)
        clts
        ret

// An error code is a word on the stack of a 16-bit task.
error_code:
        MAKE_SMALL_TASK(faulted)
        movl    idt + 8 * NP, %edx
        movl    idt + 8 * NP + 4, %edi
        pushl   %edx
        pushl   %edi
        movw    $SMALL_TSS, idt + 8 * NP + 2
        movw    $(PRESENT | SYSTEM_TASK_GATE) << 8, idt + 8 * NP + 4
        SET_DESCRIPTOR(SLOT(5), 0, 0xfffff, DATA_RW, FLAGS_32BIT_4K)
        movl    $SLOT(5), %eax
        movl    %eax, %es                       // not present; the task puts that right
        popl    %edi
        popl    %edx
        movl    %edx, idt + 8 * NP
        movl    %edi, idt + 8 * NP + 4
        CHECK_WORD(NOTES + 24, $SLOT(5))
        CHECK_WORD(NOTES + 26, $STACK_TOP - 2)
        movl    %es, %ecx
        CHECK_EQ(%ecx, $SLOT(5))
        movl    $DS32, %eax
        movl    %eax, %es
        clts
        ret

// One byte less than a 16-bit TSS has.
too_short:
        MAKE_SMALL_TASK(jumped)
        SET_DESCRIPTOR(SMALL_TSS, TSS, TSS_BYTES - 2, PRESENT | SYSTEM_TSS16, FLAGS_16BIT_BYTES)
        EXPECT_FAULT(TS, SMALL_TSS, ljmp $SMALL_TSS, $0)
        ret

// A 32-bit TSS whose EFLAGS say VM; its interrupt comes in at ring 0 of the same task.
virtual_8086_task:
        movl    $v86_code, %esi
        movl    $V86_CODE, %edi
        movl    $v86_code_end - v86_code, %ecx
        rep movsb
        movl    $v86_tss, %eax
        movw    $0x67, gdt + V86_TSS
        movw    %ax, gdt + V86_TSS + 2
        shrl    $16, %eax
        movb    %al, gdt + V86_TSS + 4
        movb    $PRESENT | SYSTEM_TSS32, gdt + V86_TSS + 5
        movb    $0, gdt + V86_TSS + 6
        movb    %ah, gdt + V86_TSS + 7
        SET_GATE(idt, 0x71, CS32, v86_interrupt, 0xee, 0)
        ljmp    $V86_TSS, $0
        CHECK_EQ(v86_frame + 4, $V86_CODE >> 4)
        CHECK_EQ(v86_frame, $v86_code_end - v86_code)
        movl    v86_frame + 8, %ecx
        andl    $EFLAGS_VM | EFLAGS_IOPL3, %ecx
        CHECK_EQ(%ecx, $EFLAGS_VM | EFLAGS_IOPL3)
        CHECK_EQ(v86_frame + 16, $V86_STACK >> 4)
        CHECK_EQ(v86_eax, $0x1235)
        CHECK_EQ(v86_frame + 24, $NOTES >> 4)
        CHECK_WORD(NOTES + 28, $0x1235)
        clts
        ret
v86_interrupt:
        cld
        movl    $DS32, %ecx
        movl    %ecx, %ds
        movl    %ecx, %es
        movl    %eax, v86_eax
        movl    %esp, %esi
        movl    $v86_frame, %edi
        movl    $9, %ecx
        rep movsl
        ljmp    $TSS_SELECTOR, $0

        .code16
small_code:
jumped:
        movw    %ax, 0
        movw    %bx, 2
        movw    %si, 4
        movw    %bp, 6
        movw    %sp, 8
        pushfw
        popw    %ax
        movw    %ax, 10
        movw    %es, 12
        str     %ax
        movw    %ax, 14
        movw    $0x5555, %ax
        movw    $0x6666, %dx
        pushw   %dx
        stc
        ljmpw   $TSS_SELECTOR, $0
jumped_again:
        movw    $0x7777, 16
        ljmpw   $TSS_SELECTOR, $0
called:
        pushfw
        popw    18
        // The type of this task's own descriptor, by a flat segment.
        movw    $DS32, %ax
        movw    %ax, %es
        addr32 movb %es:gdt + SMALL_TSS + 5, %al
        movb    $0, %ah
        movw    %ax, 20
        iretw
interrupted:
        incw    22
        iretw
        jmp     interrupted
faulted:
        movw    %sp, 26
        popw    24
        movw    $DS32, %ax
        movw    %ax, %es
        addr32 orb $PRESENT, %es:gdt + SLOT(5) + 5
        iretw
small_code_end:

v86_code:
        incw    %ax
        movw    %ax, 28
        int     $0x71
v86_code_end:
        .code32

        .data
        .align  4
v86_eax:        .long   0
v86_frame:      .fill   9, 4, 0
v86_tss:        .long   0, ring0_stack_top, DS32, 0, 0, 0, 0, 0
                .long   0, EFLAGS_VM | EFLAGS_IOPL3 | 2         // EIP, EFLAGS
                .long   0x1234, 0, 0, 0, 0x800, 0, 0, 0         // EAX to EDI
                .long   0, V86_CODE >> 4, V86_STACK >> 4, NOTES >> 4, 0, 0, 0
                .word   0, 104

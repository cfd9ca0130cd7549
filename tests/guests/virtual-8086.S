// SPDX-License-Identifier: Apache-2.0
// Virtual-8086 mode: entry and exit, the frames it leaves in ring 0, instructions that depend on IOPL, limits, and the
// virtual interrupt flag and redirected interrupts of CR4.VME. SDM 3B chapter 21.
#define NAME "virtual-8086"
#include "lib/guest.h"

#define CODE_SEGMENT 0x2000
#define STACK_SEGMENT 0x3000
#define ES_SEGMENT 0x2800
#define STACK_POINTER 0x1000
#define CODE_LINEAR (CODE_SEGMENT << 4)
#define STACK_LINEAR (STACK_SEGMENT << 4)
#define EFLAGS_IOPL3 0x3000
#define EFLAGS_VM 0x20000
#define EFLAGS_VIF 0x80000
#define EFLAGS_VIP 0x100000
#define CR4_VME 1
#define TSS2_SELECTOR FREE_SELECTOR
#define FRAME_ES 60
#define FRAME_DS 64
#define FRAME_FS 68
#define FRAME_GS 72
#define IDT_ERROR(vector) ((vector) * 8 + 2)

// Runs 16-bit code with EFLAGS = VM, bit 1 and `flags`; it must end with exception `vector` whose saved IP is `ip`, an
// offset in the code. General registers survive on both ways.
#define RUN(flags, vector, error, ip, ...) \
        .pushsection .rodata; \
        .code16; \
7700:   __VA_ARGS__; \
7701:   .code32; \
        .popsection; \
        movl    $7700b, code_start; \
        movl    $7701b - 7700b, code_length; \
        movl    $(flags) | EFLAGS_VM | 2, code_flags; \
        movl    %esp, resume_esp; \
        movl    $7702f, resume_at; \
        movl    $(ip), expected_eip; \
        movl    $(vector), expected_vector; \
        movl    $(error), expected_error; \
        movl    $__LINE__, expected_line; \
        jmp     enter; \
7702:   call    check_trap

// The stack pointer that the last trap pushed. EAX is lost.
#define CHECK_STACK(expected) \
        movl    $FRAME_ESP, %eax; \
        call    frame_word; \
        CHECK_EQ(%eax, expected)

main:
        call    frames
        call    low_privilege
        call    high_privilege
        call    undefined
        call    limits
        call    gates
        call    extensions
        ret

// Copies the code and enters it with IRET.
enter:
        pushal
        movl    code_start, %esi
        movl    code_length, %ecx
        movl    $CODE_LINEAR, %edi
        rep movsb
        popal
        pushl   $0x5678
        pushl   $0x1234
        pushl   $CODE_SEGMENT
        pushl   $ES_SEGMENT
        pushl   $STACK_SEGMENT
        pushl   $STACK_POINTER
        pushl   code_flags
        pushl   $CODE_SEGMENT
        pushl   $0
        iret

// The value of a doubleword in the frame of the last trap.
frame_word:
        addl    trap_frame, %eax
        movl    (%eax), %eax
        ret

frames:
        movl    $0x11112222, %eax
        RUN(0, BP, 0, 8, movw %ax, 0x100; es; movw %ax, 0x102; int3)
        CHECK_EQ(%eax, $0x11112222)
        CHECK_EQ(CODE_LINEAR + 0x100, $0x2222)
        CHECK_EQ((ES_SEGMENT << 4) + 0x102, $0x2222)
        CHECK_EQ(trap_cs, $CODE_SEGMENT)
        movl    $FRAME_SS, %eax
        call    frame_word
        CHECK_EQ(%eax, $STACK_SEGMENT)
        CHECK_STACK($STACK_POINTER)
        movl    trap_eflags, %eax
        andl    $EFLAGS_VM | EFLAGS_IF | EFLAGS_RF, %eax
        CHECK_EQ(%eax, $EFLAGS_VM)
        movl    $FRAME_ES, %eax
        call    frame_word
        CHECK_EQ(%eax, $ES_SEGMENT)
        movl    $FRAME_DS, %eax
        call    frame_word
        CHECK_EQ(%eax, $CODE_SEGMENT)
        movl    $FRAME_FS, %eax
        call    frame_word
        CHECK_EQ(%eax, $0x1234)
        movl    $FRAME_GS, %eax
        call    frame_word
        CHECK_EQ(%eax, $0x5678)
        movl    %fs, %eax
        CHECK_EQ(%eax, $0)
        movl    %gs, %eax
        CHECK_EQ(%eax, $0)
        // Segment loads, far transfers and stack instructions as in real mode.
        RUN(0, BP, 0, 11, pushw $0x2345; popw %ds; movw %ds, %ax; movw 4, %bx; int3)
        CHECK_STACK($STACK_POINTER)
        movl    $FRAME_DS, %eax
        call    frame_word
        CHECK_EQ(%eax, $0x2345)
        RUN(0, BP, 0, 7, .byte 0x9a; .word 6, CODE_SEGMENT; nop; int3)
        CHECK_STACK($STACK_POINTER - 4)
        CHECK_EQ(STACK_LINEAR + STACK_POINTER - 4, $5 | (CODE_SEGMENT << 16))
        // A fault pushes RF and the address of the instruction.
        RUN(0, UD, 0, 1, nop; ud2)
        SKIP_ON_TCG(1f, "RF in the image that a fault pushes")
        movl    trap_eflags, %eax
        andl    $EFLAGS_RF, %eax
        CHECK_EQ(%eax, $EFLAGS_RF)
1:      ret

// IOPL below 3: what touches IF, and the ports, are the monitor's.
low_privilege:
        RUN(0, GP, 0, 0, cli)
        RUN(0, GP, 0, 0, sti)
        RUN(0, GP, 0, 0, pushf)
        RUN(0, GP, 0, 0, popf)
        RUN(0, GP, 0, 0, pushfl)
        RUN(0, GP, 0, 0, int $0x42)
        RUN(0, GP, 0, 0, iretw)
        RUN(0, GP, 0, 0, inb $0x80, %al)
        RUN(0, GP, 0, 0, hlt)
        RUN(0, BP, 0, 1, int3)
        RUN(0, OF, 0, 5, movb $0x7f, %al; addb $1, %al; into)
        ret

high_privilege:
        RUN(EFLAGS_IOPL3 | EFLAGS_IF, BP, 0, 2, cli; int3)
        movl    trap_eflags, %eax
        andl    $EFLAGS_IF, %eax
        CHECK_EQ(%eax, $0)
        // PUSHF shows IOPL, POPF cannot change it. VM is pushed as zero.
        RUN(EFLAGS_IOPL3, BP, 0, 15, pushfl; popl %eax; movl $0x202, %ecx; pushl %ecx; popfl; int3)
        CHECK_EQ(%eax, $EFLAGS_IOPL3 | 2)
        movl    trap_eflags, %eax
        andl    $EFLAGS_IOPL3 | EFLAGS_IF | EFLAGS_VM, %eax
        CHECK_EQ(%eax, $EFLAGS_IOPL3 | EFLAGS_IF | EFLAGS_VM)
        RUN(EFLAGS_IOPL3, BP, 0, 0x21, pushw $0xed7; pushw $CODE_SEGMENT; pushw $0x20; iretw; .org 7700b + 0x20; int3)
        movl    trap_eflags, %eax
        andl    $0x3fff, %eax
        CHECK_EQ(%eax, $0x3ed7)
        // INT n goes through the IDT, whose gate must be for everyone.
        RUN(EFLAGS_IOPL3, GP, IDT_ERROR(0x42), 0, int $0x42)
        movb    $0xee, idt + 8 * 0x42 + 5
        RUN(EFLAGS_IOPL3, 0x42, 0, 2, int $0x42)
        // IOPL does not open the ports.
        RUN(EFLAGS_IOPL3, GP, 0, 0, inb $0x80, %al)
        RUN(EFLAGS_IOPL3, GP, 0, 0, hlt)
        ret

undefined:
        RUN(0, UD, 0, 0, lldt %ax)
        RUN(0, UD, 0, 0, sldt %ax)
        RUN(0, UD, 0, 0, lar %ax, %ax)
        RUN(0, UD, 0, 0, verr %ax)
        RUN(0, UD, 0, 0, .byte 0x63, 0xc0)
        RUN(0, GP, 0, 0, movl %cr0, %eax)
        RUN(0, GP, 0, 0, lgdt 0x100)
        RUN(0, GP, 0, 0, clts)
        RUN(0, BP, 0, 4, smsw %ax; int3)
        ret

limits:
        SKIP_ON_TCG(1f, "segment limits")
        movl    $0xffff, %ebx
        RUN(0, GP, 0, 0, movw (%bx), %ax)
        movl    $0x10000, %ebx
        RUN(0, GP, 0, 0, movb (%ebx), %al)
        movl    $0xffff, %ebp
        RUN(0, SS, 0, 0, movw (%bp), %ax)
        RUN(0, SS, 0, 3, movw $1, %sp; pushw %ax)
1:      ret

gates:
        // Only to ring 0: a gate to ring 3 is refused with the selector.
        SET_GATE(idt, 0x43, CS32_USER, exception_stubs + 0x43 * STUB_SIZE, 0xee, 0)
        RUN(EFLAGS_IOPL3, GP, CS32_USER & ~3, 0, int $0x43)
        SET_GATE(idt, 0x43, CS32, exception_stubs + 0x43 * STUB_SIZE, 0xef, 0)
        // A trap gate leaves IF alone, and clears VM in any case.
        RUN(EFLAGS_IOPL3 | EFLAGS_IF, 0x43, 0, 2, int $0x43)
        movl    trap_eflags, %eax
        andl    $EFLAGS_VM | EFLAGS_IF, %eax
        CHECK_EQ(%eax, $EFLAGS_VM | EFLAGS_IF)
        ret

// CR4.VME.
extensions:
        movl    $1, %eax
        cpuid
        testl   $2, %edx
        jz      1f
        movl    $tss2, %eax
        movw    $tss2_end - tss2 - 1, gdt + TSS2_SELECTOR
        movw    %ax, gdt + TSS2_SELECTOR + 2
        shrl    $16, %eax
        movb    %al, gdt + TSS2_SELECTOR + 4
        movb    $PRESENT | SYSTEM_TSS32, gdt + TSS2_SELECTOR + 5
        movb    %ah, gdt + TSS2_SELECTOR + 7
        movw    $TSS2_SELECTOR, %ax
        ltr     %ax
        movl    $ring0_stack_top, tss2 + 4
        movl    $DS32, tss2 + 8
        movl    %cr4, %eax
        orl     $CR4_VME, %eax
        movl    %eax, %cr4
        call    virtual_flag
        call    redirection
        movl    %cr4, %eax
        andl    $~CR4_VME, %eax
        movl    %eax, %cr4
1:      ret

virtual_flag:
        // CLI and STI change VIF, IF stays.
        RUN(EFLAGS_IF | EFLAGS_VIF, BP, 0, 2, cli; int3)
        movl    trap_eflags, %eax
        andl    $EFLAGS_IF | EFLAGS_VIF, %eax
        CHECK_EQ(%eax, $EFLAGS_IF)
        RUN(0, BP, 0, 2, sti; int3)
        movl    trap_eflags, %eax
        andl    $EFLAGS_IF | EFLAGS_VIF, %eax
        CHECK_EQ(%eax, $EFLAGS_VIF)
        // An interrupt that waits (VIP) is let in by the monitor.
        RUN(EFLAGS_VIP, GP, 0, 0, sti)
        RUN(EFLAGS_VIP, BP, 0, 2, cli; int3)
        // PUSHF shows VIF as IF, and IOPL 3.
        RUN(EFLAGS_VIF, BP, 0, 3, pushf; popw %ax; int3)
        andl    $0xffff, %eax
        CHECK_EQ(%eax, $EFLAGS_IOPL3 | EFLAGS_IF | 2)
        RUN(EFLAGS_IF, BP, 0, 3, pushf; popw %ax; int3)
        andl    $0xffff, %eax
        CHECK_EQ(%eax, $EFLAGS_IOPL3 | 2)
        // POPF and IRET write IF to VIF, and refuse TF, or IF with VIP. Only with a 16-bit operand.
        RUN(0, BP, 0, 5, pushw $0x202; popf; int3)
        movl    trap_eflags, %eax
        andl    $EFLAGS_IOPL3 | EFLAGS_IF | EFLAGS_VIF, %eax
        CHECK_EQ(%eax, $EFLAGS_VIF)
        RUN(0, GP, 0, 3, pushw $0x102; popf)
        RUN(EFLAGS_VIP, GP, 0, 3, pushw $0x202; popf)
        RUN(0, GP, 0, 0, pushfl)
        RUN(0, GP, 0, 0, popfl)
        RUN(0, BP, 0, 0x21, pushw $0x202; pushw $CODE_SEGMENT; pushw $0x20; iretw; .org 7700b + 0x20; int3)
        movl    trap_eflags, %eax
        andl    $EFLAGS_IOPL3 | EFLAGS_IF | EFLAGS_VIF, %eax
        CHECK_EQ(%eax, $EFLAGS_VIF)
        ret

redirection:
        // Vector 0x50 is redirected to the task's own table at linear 0, where it leads to offset 0x20.
        movl    $0x20 | (CODE_SEGMENT << 16), 0x50 * 4
        movb    $0xfe, tss2_redirection + 0x50 / 8
        RUN(EFLAGS_VIF, BP, 0, 0x21, int $0x50; .org 7700b + 0x20; int3)
        CHECK_STACK($STACK_POINTER - 6)
        CHECK_EQ(STACK_LINEAR + STACK_POINTER - 6, $2 | (CODE_SEGMENT << 16))
        movzwl  STACK_LINEAR + STACK_POINTER - 2, %eax
        CHECK_EQ(%eax, $EFLAGS_IOPL3 | EFLAGS_IF | 2)
        movl    trap_eflags, %eax
        andl    $EFLAGS_IF | EFLAGS_VIF, %eax
        CHECK_EQ(%eax, $0)
        // With IOPL 3 it is IF that is pushed and cleared.
        RUN(EFLAGS_IOPL3 | EFLAGS_IF, BP, 0, 0x21, int $0x50; .org 7700b + 0x20; int3)
        movl    trap_eflags, %eax
        andl    $EFLAGS_IF, %eax
        CHECK_EQ(%eax, $0)
        // The others are the monitor's.
        RUN(0, GP, 0, 0, int $0x42)
        RUN(EFLAGS_IOPL3, 0x42, 0, 2, int $0x42)
        ret

        .data
        .align  4
code_start:     .long   0
code_length:    .long   0
code_flags:     .long   0
tss2:           .fill   102, 1, 0
                .word   tss2_map - tss2
tss2_redirection:
                .fill   32, 1, 0xff
tss2_map:       .fill   32, 1, 0xff
tss2_end:       .byte   0xff

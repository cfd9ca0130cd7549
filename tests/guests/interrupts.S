// SPDX-License-Identifier: Apache-2.0
// External interrupts, sent by the local APIC to its own CPU: when they are taken, the shadow of STI, HLT, priorities
// between traps and interrupts, repeated string instructions.
#define NAME "interrupts"
#include "lib/guest.h"

#define APIC 0xfee00000
#define APIC_EOI (APIC + 0xb0)
#define APIC_SPURIOUS (APIC + 0xf0)
#define APIC_TASK_PRIORITY (APIC + 0x80)
#define APIC_ISR(vector) (APIC + 0x100 + 0x10 * ((vector) / 32))
#define APIC_IRR(vector) (APIC + 0x200 + 0x10 * ((vector) / 32))
#define APIC_COMMAND (APIC + 0x300)
#define TO_SELF 0x40000
#define VECTOR 0x90
#define HIGHER_VECTOR 0xa0
#define STRING_AREA 0x400000

#define SEND(vector) movl $TO_SELF | (vector), APIC_COMMAND

main:
        movl    $1, %eax
        cpuid
        testl   $1 << 9, %edx
        jnz     1f
        PRINT("no local APIC here\n")
        ret
1:      movl    $0x1ff, APIC_SPURIOUS
        movl    $0, APIC_TASK_PRIORITY
        movl    $note_interrupt, trap_hook
        call    shadow_of_sti
        call    other_ways_to_enable
        call    halted
        call    priorities
        call    stepping
        call    running_loop
        ret

// EBP: frame
note_interrupt:
        movl    FRAME_VECTOR(%ebp), %eax
        cmpl    $32, %eax
        jb      unexpected_trap
        incl    interrupt_count
        movl    interrupt_log_next, %ecx
        movl    %eax, (%ecx)
        movl    FRAME_EIP(%ebp), %eax
        movl    %eax, 4(%ecx)
        addl    $8, interrupt_log_next
        movl    $0, APIC_EOI
        andl    $~EFLAGS_IF, FRAME_EFLAGS(%ebp) // return with interrupts off
        ret

#define START \
        movl    $0, interrupt_count; \
        movl    $interrupt_log, interrupt_log_next
#define CHECK_TAKEN(n, vector, label) \
        CHECK_EQ(interrupt_log + 8 * (n), $vector); \
        CHECK_EQ(interrupt_log + 8 * (n) + 4, $label)

shadow_of_sti:
        START
        SEND(VECTOR)
        nop
        CHECK_EQ(interrupt_count, $0)           // IF is clear
        movl    APIC_IRR(VECTOR), %eax
        andl    $1 << (VECTOR % 32), %eax
        CHECK_EQ(%eax, $1 << (VECTOR % 32))
        sti
        nop                                     // always executed
sti1:   nop
        CHECK_EQ(interrupt_count, $1)
        CHECK_TAKEN(0, VECTOR, sti1)
        START
        SEND(VECTOR)
        sti
        cli                                     // no window in between
        nop
        CHECK_EQ(interrupt_count, $0)
        sti
        jmp     sti2
        nop
sti2:   nop
        CHECK_EQ(interrupt_count, $1)
        CHECK_TAKEN(0, VECTOR, sti2)
        ret

other_ways_to_enable:
        START
        SEND(VECTOR)
        pushl   $EFLAGS_IF | 2
        popfl                                   // no shadow
popf1:  nop
        CHECK_EQ(interrupt_count, $1)
        CHECK_TAKEN(0, VECTOR, popf1)
        START
        SEND(VECTOR)
        pushl   $EFLAGS_IF | 2
        pushl   $CS32
        pushl   $iret1
        iret
        nop
iret1:  nop
        CHECK_EQ(interrupt_count, $1)
        CHECK_TAKEN(0, VECTOR, iret1)
        ret

halted:
        START
        SEND(VECTOR)
        sti
        hlt                                     // in the shadow, but an interrupt ends it
hlt1:   nop
        CHECK_EQ(interrupt_count, $1)
        CHECK_TAKEN(0, VECTOR, hlt1)
        ret

// The higher vector goes first; the other one after its end of interrupt.
priorities:
        START
        SEND(VECTOR)
        SEND(HIGHER_VECTOR)
        SEND(VECTOR)                            // already requested: once is enough
        sti
        nop
prio1:  nop
        sti
        nop
prio2:  nop
        sti
        nop
        nop
        cli
        CHECK_EQ(interrupt_count, $2)
        CHECK_TAKEN(0, HIGHER_VECTOR, prio1)
        CHECK_TAKEN(1, VECTOR, prio2)
        // the task priority holds back what is not above it
        START
        movl    $VECTOR & 0xf0, APIC_TASK_PRIORITY
        SEND(VECTOR)
        sti
        nop
        nop
        CHECK_EQ(interrupt_count, $0)
        movl    $0, APIC_TASK_PRIORITY
        movl    $10, %ecx
1:      loop    1b
        cli
        CHECK_EQ(interrupt_count, $1)
        ret

// POPF sets TF and IF: the interrupt comes before the first step, and its handler runs without TF.
stepping:
        SKIP_ON_TCG(2f, "an interrupt that is pending when stepping starts")
        START
        movl    $0, steps
        movl    $note_step, trap_hook
        SEND(VECTOR)
        pushl   $EFLAGS_TF | EFLAGS_IF | 2
        popfl
        nop
        nop
        movl    $note_interrupt, trap_hook
        CHECK_EQ(steps, $1)
        CHECK_EQ(interrupt_count, $1)
2:      ret
note_step:
        cmpl    $DB, FRAME_VECTOR(%ebp)
        jne     1f
        incl    steps
        andl    $~EFLAGS_TF, FRAME_EFLAGS(%ebp)
        ret
1:      andl    $~EFLAGS_TF, FRAME_EFLAGS(%ebp)
        incl    steps
        jmp     note_interrupt

// Sent from within a loop: each one is noticed while the loop runs.
running_loop:
        START
        movl    $100, %ecx
        xorl    %edx, %edx
1:      sti
        movl    interrupt_count, %esi
        SEND(VECTOR)
        movl    $0x10000, %ebx
2:      cmpl    interrupt_count, %esi
        jne     3f
        decl    %ebx
        jnz     2b
        CHECK_NOT_REACHED
3:      incl    %edx
        cmpl    $24, %edx
        jne     1b
        cli
        CHECK_EQ(interrupt_count, $24)
        // a string instruction that is interrupted goes on afterwards
        START
        movl    $STRING_AREA, %edi
        movl    $0x100000, %ecx
        movl    $0x5a, %eax
        SEND(VECTOR)
        sti
        rep stosb
        cli
        CHECK_EQ(%ecx, $0)
        CHECK_EQ(%edi, $STRING_AREA + 0x100000)
        CHECK_EQ(interrupt_count, $1)
        CHECK_EQ(STRING_AREA + 0xffffc, $0x5a5a5a5a)
        ret


        .data
        .align  4
interrupt_count:        .long 0
interrupt_log_next:     .long interrupt_log
interrupt_log:          .fill 64, 8
steps:                  .long 0
        .text

// SPDX-License-Identifier: Apache-2.0
// Real-address mode: segments, the interrupt table, exceptions without error codes, 16- and 32-bit operands and
// addresses, and the way there and back through 16-bit protected mode. Results are stored and checked afterwards.
#define NAME "real-mode"
#include "lib/guest.h"

#define SLOT(n) (FREE_SELECTOR + 8 * (n))
#define BLOB_ADDRESS 0x8000
#define AT(label) (label - blob + BLOB_ADDRESS)
#define RESULTS 0x7000
#define RESULT(n) (RESULTS + 4 * (n))
#define STACK_TOP 0x7c00
#define BUFFER_SEGMENT 0x2000

main:
        movl    $blob, %esi
        movl    $BLOB_ADDRESS, %edi
        movl    $blob_end - blob, %ecx
        rep movsb
        movl    $RESULTS, %edi
        movl    $256, %ecx
        movl    $0xeeeeeeee, %eax
        rep stosl
        SET_DESCRIPTOR(SLOT(0), 0, 0xffff, PRESENT | CODE_XR, FLAGS_16BIT_BYTES)
        SET_DESCRIPTOR(SLOT(1), 0, 0xffff, PRESENT | DATA_RW, FLAGS_16BIT_BYTES)
        movl    %esp, saved_stack
        call    running_on_tcg
        setne   AT(checks_limits)             // whether limits are checked
        movl    $0x600dbeef, 0x300000
        lidt    real_idt
        ljmp    $SLOT(0), $AT(protected16)
back32:
        movl    $DS32, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        movl    saved_stack, %esp
        call    load_flat_segments
        lidt    idt_pointer
        call    check_results
        ret

check_results:
        CHECK_EQ(RESULT(0), $0x10)              // CR0.PE is clear; ET stays
        CHECK_EQ(RESULT(1), $0x5678)            // 0xffff:0x10 and up lie above 1 MiB
        CHECK_EQ(RESULT(2), $0x11112222)
        CHECK_EQ(RESULT(3), $0x60)              // the handler of INT 60h ran
        CHECK_EQ(RESULT(4), $AT(after_int))     // and found this return address
        CHECK_EQ(RESULT(5), $0)                 // with IF and TF clear
        CHECK_EQ(RESULT(6), $0x200)             // while the saved image has IF
        CHECK_EQ(RESULT(7), $0xfffa)            // 6 bytes of frame below 0x10000
        CHECK_EQ(RESULT(8), $AT(divide))        // #DE points to the instruction
        CHECK_EQ(RESULT(9), $AT(undefined))
        CHECK_EQ(RESULT(10), $0x89abcdef)       // 32-bit operands
        CHECK_EQ(RESULT(11), $0x600dbeef)       // the 4 GiB limit that FS brought along
        CHECK_EQ(RESULT(12), $0x00012344)       // base = selector x 16 for newly loaded segments
        CHECK_EQ(RESULT(13), $3)                // LOOP with CX
        CHECK_EQ(RESULT(14), $0xffff0000)       // upper half of ECX untouched
        CHECK_EQ(RESULT(15), $0xabab)           // STOS wrapped DI inside the segment
        CHECK_EQ(RESULT(16), $0x12340001)
        CHECK_EQ(RESULT(17), $0xfffe)           // PUSH at SP = 0
        CHECK_EQ(RESULT(18), $0x7777)
        CHECK_EQ(RESULT(19), $0x100)            // far call and return to another CS for the same place
        CHECK_EQ(RESULT(20), $BLOB_ADDRESS >> 4)
        CHECK_EQ(RESULT(21), $0x2)              // flags that can be seen in a 16-bit image
        CHECK_EQ(RESULT(22), $0x4321)           // BX + SI + displacement wraps at 64 KiB
        CHECK_EQ(RESULT(23), $1)                // one single-step trap
        CHECK_EQ(RESULT(24), $AT(stepped))
        SKIP_ON_TCG(1f, "real-mode limits")
        CHECK_EQ(RESULT(30), $AT(beyond))       // a word at 0xffff: #GP, no error code on the stack
        CHECK_EQ(RESULT(31), $AT(beyond32))     // a 32-bit address beyond the limit
        CHECK_EQ(RESULT(32), $AT(stack_beyond)) // the same through SS: #SS
        CHECK_EQ(RESULT(33), $STACK_TOP)
1:      ret

        .section .rodata
        .align  16
        .code16
blob:   jmp     protected16
checks_limits:
        .byte   0                               // set by main
protected16:
        movw    $SLOT(1), %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %gs
        movw    $DS32, %ax
        movw    %ax, %fs                        // keeps base 0 and limit 4 GiB
        movl    %cr0, %eax
        andb    $~CR0_PE, %al
        movl    %eax, %cr0
        ljmp    $0, $AT(real)
real:   xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $STACK_TOP, %esp
        movl    %cr0, %eax
        andl    $~0x60000000, %eax              // CD and NW are the firmware's business
        movl    %eax, RESULT(0)
        movl    $0x600dbeef, %eax
        movl    $0x300000, %ebx
        movl    %fs:(%ebx), %eax
        movl    %eax, RESULT(11)
        // segments
        movw    $0xffff, %ax
        movw    %ax, %es
        movzwl  %es:above_one_mib - 0xffff0, %eax
        movl    %eax, RESULT(1)
        movw    $BUFFER_SEGMENT, %ax
        movw    %ax, %es
        movl    $0x11112222, %es:0x10
        movw    $BUFFER_SEGMENT + 1, %ax
        movw    %ax, %gs
        movl    %gs:0, %eax
        movl    %eax, RESULT(2)
        movw    $0x1234, %ax
        movw    %ax, %fs
        movw    $0x4444, %fs:4
        movl    $0x89abcdef, %eax
        movl    %eax, RESULT(10)
        movl    $0x12344, RESULT(12)
        cmpw    $0x4444, 0x12344 & 0xffff       // not this one
        je      1f
        movw    $0x1000, %ax
        movw    %ax, %gs
        cmpw    $0x4444, %gs:0x2344
        je      2f
1:      movl    $0xbad, RESULT(12)
2:      // the interrupt table
        movw    $AT(int60), 4 * 0x60
        movw    $0, 4 * 0x60 + 2
        movw    $AT(divide_error), 0
        movw    $0, 2
        movw    $AT(invalid_opcode), 4 * 6
        movw    $0, 4 * 6 + 2
        movw    $AT(step), 4 * 1
        movw    $0, 4 * 1 + 2
        movw    $AT(stack_fault), 4 * 12
        movw    $0, 4 * 12 + 2
        movw    $AT(protection), 4 * 13
        movw    $0, 4 * 13 + 2
        movw    $BUFFER_SEGMENT, %ax
        movw    %ax, %ss
        movl    $0x10000, %esp                  // SP = 0: pushes wrap
        pushw   $0x7777
        movzwl  %sp, %eax
        movl    %eax, RESULT(17)
        movzwl  %ss:0xfffe, %eax
        movl    %eax, RESULT(18)
        movw    $0, %sp
        pushw   $0x0202
        popfw
        int     $0x60
after_int:
        cli
        xorw    %ax, %ax
        movw    %ax, %ss
        movl    $STACK_TOP, %esp
        // exceptions
        xorw    %cx, %cx
divide: divw    %cx
undefined:
        ud2
        // 16-bit counters and addresses
        movl    $0xffff0003, %ecx
        xorl    %eax, %eax
3:      incl    %eax
        loop    3b
        movl    %eax, RESULT(13)
        movl    %ecx, RESULT(14)
        movw    $BUFFER_SEGMENT, %ax
        movw    %ax, %es
        movl    $0x1234ffff, %edi
        movw    $2, %cx
        movb    $0xab, %al
        cld
        rep stosb
        movl    %edi, RESULT(16)
        movzbl  %es:0xffff, %eax
        movb    %es:0, %ah
        movl    %eax, RESULT(15)
        movw    $0x4321, RESULT(40)
        movw    $0xf000, %bx
        movw    $0x1000, %si
        movzwl  RESULT(40)(%bx, %si), %eax
        movl    %eax, RESULT(22)
        // far calls
        movl    $0x100, %edx
        lcall   $BLOB_ADDRESS >> 4, $far_routine - blob
        movl    %edx, RESULT(19)
        xorw    %ax, %ax
        sahf
        pushfw
        popw    %ax
        movzwl  %ax, %eax
        andl    $0xfed7, %eax
        movl    %eax, RESULT(21)
        // single-stepping
        movl    $0, RESULT(23)
        pushw   $EFLAGS_TF | 2
        popfw
        nop
stepped: nop
        // limits
        cmpb    $0, AT(checks_limits)
        je      4f
beyond: movw    0xffff, %ax
        movl    $0x10000, %ebx
beyond32: movw  (%ebx), %ax
        movl    $0x10000, %ebp
stack_beyond: movw (%ebp), %ax
        movzwl  %sp, %eax
        movl    %eax, RESULT(33)
4:      movl    %cr0, %eax
        orb     $CR0_PE, %al
        movl    %eax, %cr0
        ljmpl   $CS32, $back32

int60:  movl    $0x60, %cs:RESULT(3)
        pushl   %ebp
        movw    %sp, %bp
        movzwl  4(%bp), %eax
        movl    %eax, %cs:RESULT(4)
        movzwl  8(%bp), %eax
        andl    $0x300, %eax
        movl    %eax, %cs:RESULT(6)
        pushfl
        popl    %eax
        andl    $0x300, %eax
        movl    %eax, %cs:RESULT(5)
        leaw    4(%bp), %ax
        movzwl  %ax, %eax
        movl    %eax, %cs:RESULT(7)
        popl    %ebp
        iretw

// Each notes where it happened and returns behind the instruction, all of which are two bytes long or as given.
divide_error:
        popl    RESULT(8)
        andl    $0xffff, RESULT(8)
        pushl   RESULT(8)
        movw    %sp, %bp
        addw    $2, (%bp)
        iretw
invalid_opcode:
        popl    RESULT(9)
        andl    $0xffff, RESULT(9)
        pushl   RESULT(9)
        movw    %sp, %bp
        addw    $2, (%bp)
        iretw
protection:
        popl    %eax
        andl    $0xffff, %eax
        cmpw    $AT(beyond), %ax
        jne     1f
        movl    %eax, RESULT(30)
        addw    $beyond_length, %ax
        jmp     2f
1:      movl    %eax, RESULT(31)
        addw    $beyond32_length, %ax
2:      pushl   %eax
        iretw
stack_fault:
        popl    %eax
        andl    $0xffff, %eax
        movl    %eax, RESULT(32)
        addw    $stack_beyond_length, %ax
        pushl   %eax
        iretw
        .set    beyond_length, 3
        .set    beyond32_length, 3
        .set    stack_beyond_length, 4
step:   pushl   %ebp
        movw    %sp, %bp
        incl    RESULT(23)
        movzwl  4(%bp), %eax
        movl    %eax, RESULT(24)
        andw    $~EFLAGS_TF, 8(%bp)
        popl    %ebp
        iretw

far_routine:
        movw    %cs, %ax
        movzwl  %ax, %eax
        movl    %eax, RESULT(20)
        lret
blob_end:
        .code32
        .data
        .align  4
above_one_mib:
        .long   0x12345678
real_idt:
        .word   0x3ff
        .long   0
saved_stack:
        .long   0
        .text

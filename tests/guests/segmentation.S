// SPDX-License-Identifier: Apache-2.0
// Segments in protected mode: bases, limits, types, null selectors, the LDT, stacks of 16 bits, LAR LSL VERR VERW.
#define NAME "segmentation"
#include "lib/guest.h"

#define SLOT(n) (FREE_SELECTOR + 8 * (n))
#define AREA 0x200000                   // memory that the segments of this program lie in

main:
        call    bases
        call    loading
        call    reading_descriptors
        call    local_table
        call    small_stack
        call    far_pointers
        SKIP_ON_TCG(1f, "segment limits and types")
        call    limits
        call    expand_down
        call    types
        call    null_selectors
1:      call    load_flat_segments
        ret

bases:
        movl    $0x11223344, AREA + 0x1000
        SET_DESCRIPTOR(SLOT(0), AREA + 0xff0, 0xfffff, PRESENT | DATA_RW, FLAGS_32BIT_4K)
        movl    $SLOT(0), %eax
        mov     %eax, %fs
        CHECK_EQ(%fs:0x10, $0x11223344)
        movl    $0x55667788, %fs:0x10
        CHECK_EQ(AREA + 0x1000, $0x55667788)
        movl    $0x10, %ebp                     // EBP and ESP use SS unless overridden
        CHECK_EQ(%fs:(%ebp), $0x55667788)
        movl    $-(AREA + 0xff0) + AREA + 0x1000, %ebx
        CHECK_EQ(%fs:(%ebx), $0x55667788)
        // base + offset wraps at 4 GiB
        SET_DESCRIPTOR(SLOT(0), 0xfffff000, 0xfffff, PRESENT | DATA_RW, FLAGS_32BIT_4K)
        mov     %eax, %gs
        CHECK_EQ(%gs:AREA + 0x2000, $0x55667788)
        CHECK_EQ(%fs:0x10, $0x55667788)         // FS keeps the descriptor it loaded
        .byte   0x64                            // FS
        leal    0x10, %ecx                      // an address without its base
        CHECK_EQ(%ecx, $0x10)
        ret

loading:
        SET_DESCRIPTOR(SLOT(1), 0, 0xfffff, PRESENT | DATA_RW & ~1, FLAGS_32BIT_4K)
        movl    gdt + SLOT(1) + 4, %ecx
        andl    $0x100, %ecx
        CHECK_EQ(%ecx, $0)
        movl    $SLOT(1), %eax
        mov     %eax, %es
        movl    gdt + SLOT(1) + 4, %ecx
        andl    $0x100, %ecx
        CHECK_EQ(%ecx, $0x100)                  // the accessed bit
        movl    $-1, %ecx
        mov     %es, %ecx
        CHECK_EQ(%ecx, $SLOT(1))                // zero-extended
        movl    $-1, AREA
        mov     %es, AREA                       // 16 bits to memory
        CHECK_EQ(AREA, $0xffff0000 | SLOT(1))
        pushl   %es
        popl    %ecx
        andl    $0xffff, %ecx
        CHECK_EQ(%ecx, $SLOT(1))
        pushl   $SLOT(0)
        popl    %es
        mov     %es, %ecx
        CHECK_EQ(%ecx, $SLOT(0))
        movl    $DS32, %eax
        mov     %eax, %es
        SET_DESCRIPTOR(SLOT(1), 0, 0xfffff, PRESENT | CODE_XO, FLAGS_32BIT_4K)
        movl    $SLOT(1), %eax
        EXPECT_FAULT(GP, SLOT(1), mov %eax, %es)        // execute-only code
        SET_DESCRIPTOR(SLOT(1), 0, 0xfffff, PRESENT | DATA_RO, FLAGS_32BIT_4K)
        EXPECT_FAULT(GP, SLOT(1), mov %eax, %ss)        // read-only stack
        mov     %eax, %es
        SET_DESCRIPTOR(SLOT(1), 0, 0xfffff, PRESENT | CODE_CONFORMING_XR | DPL3, FLAGS_32BIT_4K)
        mov     %eax, %es                               // readable code is data, too
        orl     $3, %eax
        SET_DESCRIPTOR(SLOT(1), 0, 0xfffff, PRESENT | DATA_RW, FLAGS_32BIT_4K)
        EXPECT_FAULT(GP, SLOT(1), mov %eax, %es)        // RPL 3 against DPL 0
        SET_DESCRIPTOR(SLOT(1), 0, 0xfffff, PRESENT | CODE_XR, FLAGS_32BIT_4K)
        EXPECT_FAULT(GP, SLOT(1), mov %eax, %es)
        movl    $DS32, %eax
        mov     %eax, %es
        ret

reading_descriptors:
        SET_DESCRIPTOR(SLOT(2), 0x12345678, 0x04321, PRESENT | DATA_RW, FLAGS_32BIT_4K)
        movl    $SLOT(2), %eax
        lsll    %eax, %ecx
        CHECK_EQ(%ecx, $0x4321fff)
        larl    %eax, %ecx
        CHECK_EQ(%ecx, $0x00c09200)
        movl    $0xaaaaaaaa, %ecx
        larw    %ax, %cx
        CHECK_EQ(%ecx, $0xaaaa9200)
        SET_DESCRIPTOR(SLOT(2), 0, 0x54321, PRESENT | DATA_RW, FLAGS_32BIT_BYTES)
        lsll    %eax, %ecx
        CHECK_EQ(%ecx, $0x54321)
        verr    %ax
        call    zero_flag
        CHECK_EQ(%edx, $1)
        verw    %ax
        call    zero_flag
        CHECK_EQ(%edx, $1)
        SET_DESCRIPTOR(SLOT(2), 0, 0x54321, PRESENT | DATA_RO, FLAGS_32BIT_BYTES)
        verw    %ax
        call    zero_flag
        CHECK_EQ(%edx, $0)
        SET_DESCRIPTOR(SLOT(2), 0, 0x54321, PRESENT | CODE_XO, FLAGS_32BIT_BYTES)
        verr    %ax
        call    zero_flag
        CHECK_EQ(%edx, $0)
        SET_DESCRIPTOR(SLOT(2), 0, 0x54321, PRESENT | DATA_RW, FLAGS_32BIT_BYTES)
        orl     $3, %eax                        // RPL is weaker than DPL
        verr    %ax
        call    zero_flag
        CHECK_EQ(%edx, $0)
        movl    $0x77, %ecx
        lsll    %eax, %ecx
        call    zero_flag
        CHECK_EQ(%edx, $0)
        CHECK_EQ(%ecx, $0x77)                   // untouched when it fails
        movl    $TSS_SELECTOR, %eax
        larl    %eax, %ecx
        CHECK_EQ(%ecx, $0x00008b00)             // a busy TSS
        lsll    %eax, %ecx
        CHECK_EQ(%ecx, $0x67)
        SET_GATE(gdt, SLOT(2) / 8, CS32, main, PRESENT | SYSTEM_CALL_GATE32, 5)
        movl    $SLOT(2), %eax
        larl    %eax, %ecx                      // gates have rights but no limit
        call    zero_flag
        CHECK_EQ(%edx, $1)
        lsll    %eax, %ecx
        call    zero_flag
        CHECK_EQ(%edx, $0)
        SET_GATE(gdt, SLOT(2) / 8, CS32, main, PRESENT | SYSTEM_INTERRUPT_GATE32, 0)
        larl    %eax, %ecx                      // not a descriptor for the GDT
        call    zero_flag
        CHECK_EQ(%edx, $0)
        xorl    %eax, %eax
        larl    %eax, %ecx
        call    zero_flag
        CHECK_EQ(%edx, $0)
        movl    $0x150, %eax                    // beyond the limit
        verr    %ax
        call    zero_flag
        CHECK_EQ(%edx, $0)
        ret

// EDX: ZF
zero_flag:
        movl    $0, %edx
        jnz     1f
        incl    %edx
1:      ret

local_table:
        SET_DESCRIPTOR(SLOT(3), 0, 0x17, PRESENT | SYSTEM_LDT, 0)
        movl    $ldt, %eax
        movw    %ax, gdt + SLOT(3) + 2
        shrl    $16, %eax
        movb    %al, gdt + SLOT(3) + 4
        movl    $SLOT(3), %eax
        lldt    %ax
        sldt    %ecx
        CHECK_EQ(%ecx, $SLOT(3))
        movl    $0xcafe, AREA
        movl    $0x0c, %eax                     // entry 1 of the LDT
        mov     %eax, %fs
        CHECK_EQ(%fs:0, $0xcafe)
        movl    $0x1c, %eax                     // beyond its limit
        EXPECT_FAULT(GP, 0x1c, mov %eax, %fs)
        movl    $0x14, %eax                     // not present
        EXPECT_FAULT(NP, 0x14, mov %eax, %fs)
        xorl    %eax, %eax
        lldt    %ax
        movl    $0x0c, %eax
        EXPECT_FAULT(GP, 0x0c, mov %eax, %fs)
        movl    $DS32, %eax
        EXPECT_FAULT(GP, DS32, lldt %ax)        // not an LDT
        ret

// A stack segment with B = 0 uses SP; the upper half of ESP stays.
small_stack:
        SET_DESCRIPTOR(SLOT(4), AREA, 0xffff, PRESENT | DATA_RW, FLAGS_16BIT_BYTES)
        movl    %esp, saved_stack
        movl    $SLOT(4), %eax
        movl    $0x10, %ebx
        mov     %eax, %ss
        movl    $0xabcd0000, %esp
        pushl   $0x13572468                     // wraps to 0xfffc
        movl    %esp, %ecx
        movl    $DS32, %eax
        mov     %eax, %ss
        movl    saved_stack, %esp
        CHECK_EQ(%ecx, $0xabcdfffc)
        CHECK_EQ(AREA + 0xfffc, $0x13572468)
        movl    $SLOT(4), %eax
        mov     %eax, %ss
        movl    $0xabcdfffc, %esp
        popl    %edx
        movl    %esp, %ecx
        movl    $DS32, %eax
        mov     %eax, %ss
        movl    saved_stack, %esp
        CHECK_EQ(%ecx, $0xabcd0000)
        CHECK_EQ(%edx, $0x13572468)
        ret

far_pointers:
        movl    $0x00009876, AREA
        movw    $DS32, AREA + 4
        les     AREA, %ebx
        CHECK_EQ(%ebx, $0x9876)
        movw    $SLOT(0), AREA + 4
        lfs     AREA, %ebx
        mov     %fs, %ecx
        CHECK_EQ(%ecx, $SLOT(0))
        movw    $DS32, AREA + 2
        lgsw    AREA, %bx
        CHECK_EQ(%ebx, $0x9876)
        mov     %gs, %ecx
        CHECK_EQ(%ecx, $DS32)
        movw    $TSS_SELECTOR, AREA + 4
        movl    $5, %ebx
        EXPECT_FAULT(GP, TSS_SELECTOR, les AREA, %ebx)
        CHECK_EQ(%ebx, $5)                      // neither half is loaded
        movl    %esp, AREA
        movw    $DS32, AREA + 4
        lss     AREA, %esp
        EXPECT_FAULT(UD, 0, .byte 0x0f, 0xb4, 0xc0)     // LFS needs memory
        ret

limits:
        SET_DESCRIPTOR(SLOT(5), AREA, 0x0fff, PRESENT | DATA_RW, FLAGS_32BIT_BYTES)
        movl    $SLOT(5), %eax
        mov     %eax, %fs
        movb    %fs:0xfff, %cl
        EXPECT_FAULT(GP, 0, movb %fs:0x1000, %cl)
        movl    %fs:0xffc, %ecx
        EXPECT_FAULT(GP, 0, movl %fs:0xffd, %ecx)
        EXPECT_FAULT(GP, 0, movl %ecx, %fs:0xfff)
        EXPECT_FAULT(GP, 0, movl %ecx, %fs:0xfffffffe)  // wraps around the end of the segment
        EXPECT_FAULT(GP, 0, fldl %fs:0xff9)
        EXPECT_FAULT(GP, 0, lock; incl %fs:0xffe)
        EXPECT_FAULT(GP, 0, pushl %fs:0x1000)
        SET_DESCRIPTOR(SLOT(5), AREA, 0, PRESENT | DATA_RW, FLAGS_32BIT_4K)     // one page
        mov     %eax, %fs
        movb    %fs:0xfff, %cl
        EXPECT_FAULT(GP, 0, movb %fs:0x1000, %cl)
        // the stack segment raises #SS instead
        SET_DESCRIPTOR(SLOT(5), 0, 0x1fff, PRESENT | DATA_RW, FLAGS_32BIT_4K)   // up to 0x1ffffff
        mov     %eax, %ss
        EXPECT_FAULT(SS, 0, movb %ss:0x2000000, %cl)
        movl    $SLOT(5), %eax
        mov     %eax, %ss
        movl    $0x2000000, %ebp
        EXPECT_FAULT(SS, 0, movb (%ebp), %cl)
        mov     %eax, %ss
        EXPECT_FAULT(SS, 0, movb %ss:(%ebp), %cl)
        mov     %eax, %ss
        movl    $0x1fffffe, %ebp
        EXPECT_FAULT_AT_7(SS, 0, movl %ebp, %esp; 7: popl %ecx)
        // running into the limit of the code segment
        SET_DESCRIPTOR(SLOT(6), 0, 0x1ff, PRESENT | CODE_XR, FLAGS_32BIT_4K)    // up to 0x1fffff
        movb    $0x90, 0x1fffff
        movl    %esp, resume_esp
        movl    $1f, resume_at
        movl    $0x200000, expected_eip
        movl    $GP, expected_vector
        movl    $0, expected_error
        ljmp    $SLOT(6), $0x1fffff
1:      call    check_trap
        EXPECT_FAULT(GP, 0, ljmp $SLOT(6), $0x200000)   // the target is checked before the transfer
        ret

expand_down:
        SET_DESCRIPTOR(SLOT(5), AREA, 0x0fff, PRESENT | DATA_EXPAND_DOWN_RW, FLAGS_32BIT_BYTES)
        movl    $SLOT(5), %eax
        mov     %eax, %fs
        EXPECT_FAULT(GP, 0, movb %fs:0xfff, %cl)
        movb    %fs:0x1000, %cl
        movl    %fs:0x1000, %ecx
        EXPECT_FAULT(GP, 0, movl %fs:0xffd, %ecx)
        movb    %fs:0x10000, %cl
        SET_DESCRIPTOR(SLOT(5), AREA, 0x0fff, PRESENT | DATA_EXPAND_DOWN_RW, FLAGS_16BIT_BYTES)
        mov     %eax, %fs
        EXPECT_FAULT(GP, 0, movb %fs:0xfff, %cl)
        movb    %fs:0xffff, %cl
        EXPECT_FAULT(GP, 0, movb %fs:0x10000, %cl)
        EXPECT_FAULT(GP, 0, movw %fs:0xffff, %cx)
        SET_DESCRIPTOR(SLOT(5), AREA, 0x0, PRESENT | DATA_EXPAND_DOWN_RW, FLAGS_32BIT_4K)
        mov     %eax, %fs
        EXPECT_FAULT(GP, 0, movb %fs:0xfff, %cl)
        movb    %fs:0x1000, %cl
        ret

types:
        SET_DESCRIPTOR(SLOT(5), 0, 0xfffff, PRESENT | DATA_RO, FLAGS_32BIT_4K)
        movl    $SLOT(5), %eax
        mov     %eax, %fs
        movl    %fs:AREA, %ecx
        EXPECT_FAULT(GP, 0, movl %ecx, %fs:AREA)
        EXPECT_FAULT(GP, 0, incl %fs:AREA)
        EXPECT_FAULT(GP, 0, movl %ecx, %cs:AREA)
        movl    %cs:AREA, %ecx
        SET_DESCRIPTOR(SLOT(6), 0, 0xfffff, PRESENT | CODE_XO, FLAGS_32BIT_4K)
        EXPECT_FAULT_AT_7(GP, 0, ljmp $SLOT(6), $7f; 7: movl %cs:AREA, %ecx)
        CHECK_EQ(trap_cs, $SLOT(6))
        ret

null_selectors:
        xorl    %eax, %eax
        mov     %eax, %fs
        movl    $3, %eax
        mov     %eax, %gs                       // null with any RPL
        EXPECT_FAULT(GP, 0, movl %fs:AREA, %ecx)
        EXPECT_FAULT(GP, 0, movl %ecx, %gs:AREA)
        mov     %eax, %es
        movl    $AREA, %edi
        EXPECT_FAULT(GP, 0, stosb)
        CHECK_EQ(%edi, $AREA)
        EXPECT_FAULT(GP, 0, ljmp $0, $main)
        ret

        .data
        .align  8
ldt:    .quad   0
        DESCRIPTOR(AREA, 0xfffff, PRESENT | DATA_RW, FLAGS_32BIT_4K)
        DESCRIPTOR(AREA, 0xfffff, DATA_RW, FLAGS_32BIT_4K)
saved_stack:    .long 0
        .text

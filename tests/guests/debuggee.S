// SPDX-License-Identifier: Apache-2.0
// Something for a debugger to look at: a routine that is called ten times, memory that changes, floating point, a string
// instruction, a page mapped twice. tests/gdb stops it everywhere; by itself it checks its own sums.
#define NAME "debuggee"
#include "lib/guest.h"
#include "lib/long.h"

#define CALLS 10

        .code32
main:   jmp     enter_long_mode

        .code64
main64: xorl    %ebx, %ebx
1:      call    work
        incl    %ebx
        cmpl    $CALLS, %ebx
        jne     1b
        call    copy
        call    mapped_twice
        CHECK_EQ64(counter, $CALLS)
        CHECK_EQ64(total, $45)
        ret

work:   incq    counter
        movslq  %ebx, %rax
        addq    %rax, total
        cvtsi2sd %rax, %xmm1
        fninit
        fld1
        fildl   counter
        faddp
work_end:
        ret

copy:   movl    $source, %esi
        movl    $target, %edi
        movl    $32, %ecx
        rep movsb
copy_end:
        movq    target + 8, %rdx
        CHECK_EQ64(source + 8, %rdx)
        ret

mapped_twice:
        MAP_TEST(0, 7, P_PRESENT | P_WRITE, 0)
        MAP_TEST(1, 7, P_PRESENT | P_WRITE, 0)
        movw    $0xc3f8, TEST_PAGE(0) + 0x10            // clc; ret
        movl    $TEST_PAGE(0) + 0x10, %eax
        call    *%rax
        movl    $TEST_PAGE(1) + 0x10, %eax
        call    *%rax
        ret

        .data
        .balign 16
counter: .quad  0
total:  .quad   0
source: .ascii  "bytes that are copied from here to there"
        .balign 16
target: .fill   48
        .text

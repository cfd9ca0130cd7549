// SPDX-License-Identifier: Apache-2.0
// Code that changes code: the next instruction, the same page, another page, through another mapping, by every kind of
// store, once and a thousand times. SDM 3A §8.1.3: on the same linear address a jump is not even needed; through another
// one a serializing instruction is.
#define NAME "self-modify"
#include "lib/guest.h"
#include "lib/pages32.h"

#define MOV_EAX 0xb8
#define RET 0xc3

main:
        call    start_paging
        call    next_instruction
        call    loop_that_changes_itself
        call    many_times
        call    kinds_of_stores
        call    string_stores
        call    data_beside_code
        call    another_page
        call    another_mapping
        call    replaced_page
        call    call_chain
        ret

next_instruction:
        movl    $0x12345678, 1f + 1
1:      movl    $0, %eax
        CHECK_EQ(%eax, $0x12345678)
        movb    $0x43, 2f                       // INC EBX instead of NOP
        movl    $5, %ebx
2:      nop
        CHECK_EQ(%ebx, $6)
        movw    $0x01eb, 3f                     // a jump over one byte
3:      nop
        nop
        incl    %ebx
        incl    %ebx
        CHECK_EQ(%ebx, $7)
        ret

// Every iteration patches the one after it.
loop_that_changes_itself:
        movl    $100, %ecx
        xorl    %edx, %edx
1:      movl    %ecx, 2f + 2
2:      addl    $0x7fffffff, %edx
        decl    %ecx
        jnz     1b
        CHECK_EQ(%edx, $5050)
        // backwards: the patched instruction was executed before
        movl    $100, %ecx
        xorl    %edx, %edx
        movl    $0, 3f + 2
3:      addl    $0x7fffffff, %edx
        movl    %ecx, 3b + 2
        decl    %ecx
        jnz     3b
        CHECK_EQ(%edx, $5049)
        ret

// Long enough to be translated and thrown away again.
many_times:
        movb    $MOV_EAX, TEST_PHYSICAL
        movb    $RET, TEST_PHYSICAL + 5
        xorl    %esi, %esi
        xorl    %ebx, %ebx
        movl    $TEST_PHYSICAL, %edi
1:      movl    %esi, 1(%edi)
        call    *%edi
        addl    %eax, %ebx
        incl    %esi
        cmpl    $3000, %esi
        jne     1b
        CHECK_EQ(%ebx, $3000 * 2999 / 2)
        // hot before it changes
        movl    $7, 1(%edi)
        movl    $20000, %ecx
        xorl    %ebx, %ebx
2:      call    *%edi
        addl    %eax, %ebx
        loop    2b
        CHECK_EQ(%ebx, $140000)
        movb    $9, 1(%edi)
        call    *%edi
        CHECK_EQ(%eax, $9)
        ret

// Writes VALUE as the immediate of the function at EDI with `store`, then calls it.
#define CHECK_STORE(value, ...) \
        movl    $0, 1(%edi); \
        call    *%edi; \
        CHECK_EQ(%eax, $0); \
        __VA_ARGS__; \
        call    *%edi; \
        CHECK_EQ(%eax, $(value))

kinds_of_stores:
        movl    %cr4, %eax
        orl     $CR4_OSFXSR, %eax
        movl    %eax, %cr4
        fninit
        movl    $TEST_PHYSICAL, %edi
        CHECK_STORE(0x55, movb $0x55, 1(%edi))
        CHECK_STORE(0x5500, movb $0x55, 2(%edi))
        CHECK_STORE(0x5566, movw $0x5566, 1(%edi))
        CHECK_STORE(1, incl 1(%edi))
        CHECK_STORE(0xffffffff, notl 1(%edi))
        CHECK_STORE(0x77, movl $0x77, %eax; xchgl %eax, 1(%edi))
        CHECK_STORE(0x78, movl $0x78, %eax; lock; xaddl %eax, 1(%edi))
        CHECK_STORE(0x79, xorl %eax, %eax; movl $0x79, %ecx; lock; cmpxchgl %ecx, 1(%edi))
        CHECK_STORE(0x100, movl $8, %eax; btsl %eax, 1(%edi))
        CHECK_STORE(0x99, movl %esp, %esi; leal 5(%edi), %esp; pushl $0x99; movl %esi, %esp)
        CHECK_STORE(0x9a, movl $0x9a, patch; pushl patch; popl 1(%edi))
        CHECK_STORE(0x42c80000, fld1; fldl hundred; fstps 1(%edi); fstp %st(0))
        CHECK_STORE(0x33, movl $0x33, patch; movd patch, %xmm0; movd %xmm0, 1(%edi))
        CHECK_STORE(1, stc; setc 1(%edi))
        CHECK_STORE(0xa5, movl $0xa5, patch; movb $RET, patch + 4; movq patch, %xmm0; movq %xmm0, 1(%edi))
        ret

string_stores:
        movl    $TEST_PHYSICAL, %edi
        CHECK_STORE(0x11111111, leal 1(%edi), %edi; movl $4, %ecx; movb $0x11, %al; rep stosb; subl $5, %edi)
        // a whole function copied over one that was in use
        movl    $function_a, %esi
        call    copy_function
        movl    $TEST_PHYSICAL, %ebx
        call    *%ebx
        CHECK_EQ(%eax, $0xa)
        movl    $function_b, %esi
        call    copy_function
        call    *%ebx
        CHECK_EQ(%eax, $0xb)
        // REP MOVS over the instructions right behind it
        movl    $new_tail, %esi
        movl    $old_tail, %edi
        movl    $5, %ecx
        rep movsb
old_tail:
        movl    $1, %eax
        CHECK_EQ(%eax, $2)
        movl    $TEST_PHYSICAL, %edi
        movb    $MOV_EAX, (%edi)
        movb    $RET, 5(%edi)
        ret
copy_function:
        movl    $TEST_PHYSICAL, %edi
        movl    $16, %ecx
        rep movsb
        ret
        .align  16
function_a:
        movl    $0xa, %eax
        ret
        .align  16
function_b:
        nop
        xorl    %eax, %eax
        movb    $0xb, %al
        ret
        .align  16
new_tail:
        movl    $2, %eax

// Counters in the same page as the code that uses them.
data_beside_code:
        movl    $1000, %ecx
1:      incl    counter_in_text
        loop    1b
        CHECK_EQ(counter_in_text, $1000)
        ret
counter_in_text:
        .long   0

// Code in one page patches code in the next one and calls it.
another_page:
        MAP_TEST(0, 0, P_PRESENT | P_WRITE)
        MAP_TEST(1, 1, P_PRESENT | P_WRITE)
        movl    $patcher, %esi
        movl    $TEST_PAGE(0), %edi
        movl    $patcher_end - patcher, %ecx
        rep movsb
        movb    $MOV_EAX, TEST_PAGE(1)
        movb    $RET, TEST_PAGE(1) + 5
        movl    $TEST_PAGE(0), %ebx
        movl    $50, %ecx
        xorl    %edx, %edx
1:      call    *%ebx
        addl    %eax, %edx
        loop    1b
        CHECK_EQ(%edx, $1275)
        ret
patcher:
        movl    $TEST_PAGE(1), %esi
        movl    %ecx, 1(%esi)
        call    *%esi
        ret
patcher_end:

// The writer uses another linear address of the same memory.
another_mapping:
        MAP_TEST(2, 1, P_PRESENT | P_WRITE)
        MAP_TEST(3, 1, P_PRESENT)
        movl    $TEST_PAGE(3), %esi
        movl    $20, %ebp
        xorl    %edi, %edi
1:      movl    %ebp, TEST_PAGE(2) + 1
        xorl    %eax, %eax
        cpuid
        call    *%esi
        addl    %eax, %edi
        movl    $TEST_PAGE(1), %eax             // and through a third one
        call    *%eax
        addl    %eax, %edi
        decl    %ebp
        jnz     1b
        CHECK_EQ(%edi, $420)
        ret

// The page itself is exchanged under the same address.
replaced_page:
        movb    $MOV_EAX, TEST_PHYSICAL + 0x5000
        movl    $0x555, TEST_PHYSICAL + 0x5001
        movb    $RET, TEST_PHYSICAL + 0x5005
        movb    $MOV_EAX, TEST_PHYSICAL + 0x6000
        movl    $0x666, TEST_PHYSICAL + 0x6001
        movb    $RET, TEST_PHYSICAL + 0x6005
        movl    $30, %ecx
        xorl    %edx, %edx
        movl    $TEST_PAGE(4), %ebx
1:      MAP_TEST(4, 5, P_PRESENT)
        call    *%ebx
        addl    %eax, %edx
        MAP_TEST(4, 6, P_PRESENT)
        call    *%ebx
        addl    %eax, %edx
        loop    1b
        CHECK_EQ(%edx, $30 * (0x555 + 0x666))
        ret

// The callee changes what its caller does after the return.
call_chain:
        movl    $40, %ecx
        xorl    %edx, %edx
1:      call    2f
3:      addl    $0x7fffffff, %edx
        loop    1b
        CHECK_EQ(%edx, $820)
        ret
2:      movl    %ecx, 3b + 2
        ret

        .data
        .align  16
patch:          .long 0, 0, 0, 0
hundred:        .double 100
        .text

// SPDX-License-Identifier: Apache-2.0
// Spends four fifths of its time in `hot` and one fifth in `cold`, both called through `work`, with frame pointers.
        .code64
        .globl  _start
_start:
        movl    $0x300000, %esp
        xorl    %ebp, %ebp
        movl    $600, %r12d
        call    work
        xorl    %eax, %eax
        outb    %al, $0xf4
1:      hlt
        jmp     1b

        .globl  work
        .type   work, @function
work:   pushq   %rbp
        movq    %rsp, %rbp
1:      call    hot
        call    cold
        decl    %r12d
        jnz     1b
        popq    %rbp
        ret
        .size   work, . - work

        .globl  hot
        .type   hot, @function
hot:    pushq   %rbp
        movq    %rsp, %rbp
        movl    $40000, %ecx
1:      decl    %ecx
        jnz     1b
        popq    %rbp
        ret
        .size   hot, . - hot

        .globl  cold
        .type   cold, @function
cold:   pushq   %rbp
        movq    %rsp, %rbp
        movl    $10000, %ecx
1:      decl    %ecx
        jnz     1b
        popq    %rbp
        ret
        .size   cold, . - cold

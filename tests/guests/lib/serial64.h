// SPDX-License-Identifier: Apache-2.0
// Text on the first serial port from 64-bit code; every routine preserves all registers and flags.

        .code64
// AL: character
print_char64:
        pushfq
        pushq   %rdx
        pushq   %rax
        movl    $COM1_LINE_STATUS, %edx
1:      inb     %dx, %al
        testb   $TRANSMIT_EMPTY, %al
        jz      1b
        movl    $COM1, %edx
        movb    (%rsp), %al
        outb    %al, %dx
        popq    %rax
        popq    %rdx
        popfq
        ret

// RSI: zero-terminated text
print_text64:
        pushfq
        pushq   %rsi
        pushq   %rax
1:      movb    (%rsi), %al
        testb   %al, %al
        jz      2f
        call    print_char64
        incq    %rsi
        jmp     1b
2:      popq    %rax
        popq    %rsi
        popfq
        ret

// RAX: number, printed as 16 hexadecimal digits
print_hex64:
        pushfq
        pushq   %rax
        pushq   %rbx
        pushq   %rcx
        movq    %rax, %rbx
        movl    $16, %ecx
1:      rolq    $4, %rbx
        movl    %ebx, %eax
        andl    $15, %eax
        movb    hex_digits(%rax), %al
        call    print_char64
        decl    %ecx
        jnz     1b
        popq    %rcx
        popq    %rbx
        popq    %rax
        popfq
        ret

// EAX: number, printed in decimal
print_decimal64:
        pushfq
        pushq   %rax
        pushq   %rbx
        pushq   %rcx
        pushq   %rdx
        xorl    %ecx, %ecx
        movl    $10, %ebx
1:      xorl    %edx, %edx
        divl    %ebx
        pushq   %rdx
        incl    %ecx
        testl   %eax, %eax
        jnz     1b
2:      popq    %rax
        addb    $'0', %al
        call    print_char64
        decl    %ecx
        jnz     2b
        popq    %rdx
        popq    %rcx
        popq    %rbx
        popq    %rax
        popfq
        ret

#define PRINT64(literal) \
        pushq   %rsi; \
        movl    $7790f, %esi; \
        call    print_text64; \
        popq    %rsi; \
        .section .rodata; \
7790:   .asciz  literal; \
        .text

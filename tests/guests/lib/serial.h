// SPDX-License-Identifier: Apache-2.0
// Text on the first serial port. 32-bit; every routine preserves all registers and flags.

#define COM1 0x3f8
#define COM1_LINE_STATUS 0x3fd
#define COM1_LINE_CONTROL 0x3fb
#define TRANSMIT_EMPTY 0x20
#define TRANSMITTER_IDLE 0x40

set_up_serial:
        movl    $COM1_LINE_CONTROL, %edx
        movb    $0x83, %al              // 8 data bits, access to the divisor
        outb    %al, %dx
        movl    $COM1, %edx
        movw    $1, %ax                 // 115200 baud
        outb    %al, %dx
        incl    %edx
        movb    %ah, %al
        outb    %al, %dx
        movl    $COM1_LINE_CONTROL, %edx
        movb    $3, %al
        outb    %al, %dx
        ret

// AL: character
print_char:
        pushfl
        pushl   %edx
        pushl   %eax
        movl    $COM1_LINE_STATUS, %edx
1:      inb     %dx, %al
        testb   $TRANSMIT_EMPTY, %al
        jz      1b
        movl    $COM1, %edx
        movb    (%esp), %al
        outb    %al, %dx
        popl    %eax
        popl    %edx
        popfl
        ret

// Waits until the last bit has left.
drain_serial:
        movl    $COM1_LINE_STATUS, %edx
1:      inb     %dx, %al
        testb   $TRANSMITTER_IDLE, %al
        jz      1b
        ret

// ESI: zero-terminated text
print_text:
        pushfl
        pushl   %esi
        pushl   %eax
1:      movb    (%esi), %al
        testb   %al, %al
        jz      2f
        call    print_char
        incl    %esi
        jmp     1b
2:      popl    %eax
        popl    %esi
        popfl
        ret

// EAX: number, printed as 8 hexadecimal digits
print_hex:
        pushfl
        pushal
        movl    %eax, %ebx
        movl    $8, %ecx
1:      roll    $4, %ebx
        movl    %ebx, %eax
        andl    $15, %eax
        movb    hex_digits(%eax), %al
        call    print_char
        decl    %ecx
        jnz     1b
        popal
        popfl
        ret

// EAX: number, printed in decimal
print_decimal:
        pushfl
        pushal
        xorl    %ecx, %ecx
        movl    $10, %ebx
1:      xorl    %edx, %edx
        divl    %ebx
        pushl   %edx
        incl    %ecx
        testl   %eax, %eax
        jnz     1b
2:      popl    %eax
        addb    $'0', %al
        call    print_char
        decl    %ecx
        jnz     2b
        popal
        popfl
        ret

        .section .rodata
hex_digits:
        .ascii  "0123456789abcdef"
        .text

// Prints a literal.
#define PRINT(literal) \
        pushl   %esi; \
        movl    $7790f, %esi; \
        call    print_text; \
        popl    %esi; \
        .section .rodata; \
7790:   .asciz  literal; \
        .text

// SPDX-License-Identifier: Apache-2.0
// Says that it runs, and then runs for ever.
        .code64
        .globl  _start
_start:
        movl    $0x3f8, %edx
        movb    $'\n', %al
        outb    %al, %dx
1:      jmp     1b

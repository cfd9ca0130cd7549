/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a ROM that every kernel begins with: from the reset vector to 32-bit code with flat segments. */
    .section .text.start, "ax"
    .code16
/* At the beginning of the ROM. */
real:
    cli
    cld
    lgdtl %cs:(table - real)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x08, $flat
    .code32
flat:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $0x90000, %esp
    call kernel
1:  hlt
    jmp 1b

    .align 8
descriptors:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
table:
    .word 23
    .long descriptors

    .section .reset, "ax"
    .code16
    ljmp $0xf000, $0

/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware of 64 KiB for a pc: checks what the chip set does to memory, and reads a disk. One letter on the first serial
   port for each part that is as it should be; port 0xf4 gets 0x10 at the end, 0x11 after a failure. */
    .code16
    .text

    .macro say letter
    movw $0x3f8, %dx
    movb $\letter, %al
    outb %al, %dx
    .endm

    /* Writes a byte of a PCI function's configuration space. */
    .macro config function, register, value
    movl $(0x80000000 | ((\function) << 8) | (\register & 0xfc)), %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $(0xcfc + (\register & 3)), %dx
    movb $\value, %al
    outb %al, %dx
    .endm

    .globl _start
_start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp

    /* The first time a triple fault resets the machine; CMOS RAM remembers. */
    movb $0x40, %al
    outb %al, $0x70
    inb $0x71, %al
    cmpb $0x5a, %al
    je again
    movb $0x5a, %al
    outb %al, $0x71
    say 'T'
    lidtl %cs:nothing
    int3
again:
    say 'R'

    /* Shadow RAM: copied over itself, then write-protected. */
    config 0, 0x59, 0x20
    movw $0xf000, %ax
    movw %ax, %ds
    movw %ax, %es
    xorw %si, %si
    xorw %di, %di
    movw $0x8000, %cx
    rep movsw
    movw $marker, %bx
    movb $0x77, (%bx)
    cmpb $0x33, (%bx)
    jne fail
    config 0, 0x59, 0x10
    cmpb $0x77, (%bx)
    jne fail
    movb $0x11, (%bx)
    cmpb $0x77, (%bx)
    jne fail
    config 0, 0x59, 0x30
    movb $0x11, (%bx)
    cmpb $0x11, (%bx)
    jne fail
    say 'S'

    /* Address line 20: masked by port 0x92, opened by the keyboard controller. */
    xorw %ax, %ax
    movw %ax, %ds
    movw $0xffff, %ax
    movw %ax, %es
    movb $1, 0x500
    movb $2, %es:0x510
    cmpb $1, 0x500
    jne fail
    movb $0, %al
    outb %al, $0x92
    cmpb $1, %es:0x510
    jne fail
    movb $3, %es:0x510
    cmpb $3, 0x500
    jne fail
    movb $0xd1, %al
    outb %al, $0x64
    movb $0xdf, %al
    outb %al, $0x60
    cmpb $2, %es:0x510
    jne fail
    say 'A'

    /* The first sector of the first disk, which is text. */
    config 1*8+1, 0x41, 0x80
    config 1*8+1, 0x04, 0x05
    movw $0x1f6, %dx
    movb $0xe0, %al
    outb %al, %dx
    movw $0x1f2, %dx
    movb $1, %al
    outb %al, %dx
    movb $0, %al
    incw %dx
    outb %al, %dx
    incw %dx
    outb %al, %dx
    incw %dx
    outb %al, %dx
    movw $0x1f7, %dx
    movb $0x20, %al
    outb %al, %dx
wait:
    inb %dx, %al
    testb $8, %al
    jz wait
    xorw %ax, %ax
    movw %ax, %es
    movw $0x600, %di
    movw $256, %cx
    movw $0x1f0, %dx
    rep insw
    movw $0x600, %si
    movw $0x3f8, %dx
text:
    lodsb
    testb %al, %al
    jz done
    outb %al, %dx
    jmp text
done:
    movb $0x10, %al
    outb %al, $0xf4
fail:
    say '!'
    movb $0x11, %al
    outb %al, $0xf4
    hlt

nothing:
    .word 0
    .long 0
marker:
    .byte 0x33

    .org 0xfff0
    ljmp $0xf000, $_start
    .org 0x10000

// SPDX-License-Identifier: Apache-2.0
// A hard disk boot sector that starts a guest program on machines that cannot load Multiboot images themselves. The
// program's memory image, SECTORS sectors long, follows on the disk; it is copied to 1 MiB and entered there as Multiboot
// says: protected mode, flat segments, EAX = 0x2badb002.
        .code16
        .text
        .globl  _start
_start: ljmp    $0, $1f
1:      cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movw    $0x2401, %ax            // A20 on
        int     $0x15
        movl    $0x100000, %ebp         // where the next chunk goes
        movw    $(SECTORS + CHUNK - 1) / CHUNK, %cx
next:   pushw   %cx
        movw    $packet, %si
        movb    $0x42, %ah              // extended read
        movb    $0x80, %dl
        int     $0x13
        jc      stop
        addl    $CHUNK, lba
        cli
        lgdt    gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmp    $8, $copy
stop:   hlt
        jmp     stop

        .code32
copy:   movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        cld
        movl    $BUFFER, %esi
        movl    %ebp, %edi
        movl    $CHUNK * 128, %ecx
        rep movsl
        movl    %edi, %ebp
        popw    %cx
        decw    %cx
        jz      enter
        pushw   %cx
        ljmp    $24, $back              // 16-bit protected mode on the way to real mode
        .code16
back:   movw    $32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movl    %cr0, %eax
        andb    $0xfe, %al
        movl    %eax, %cr0
        ljmp    $0, $1f
1:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        sti
        popw    %cx
        jmp     next
        .code32
enter:  movl    $16, %eax
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        movl    $0x2badb002, %eax
        xorl    %ebx, %ebx
        movl    $ENTRY, %ecx
        jmp     *%ecx

        .set    CHUNK, 32
        .set    BUFFER, 0x10000
        .align  4
packet: .byte   16, 0
        .word   CHUNK, 0, BUFFER >> 4
lba:    .long   1, 0
gdt_pointer:
        .word   39
        .long   gdt
        .align  8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00009a000000ffff, 0x000092000000ffff
        .org    510
        .word   0xaa55

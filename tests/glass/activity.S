// SPDX-License-Identifier: Apache-2.0
// Does a known number of everything that the machine counts, then leaves by the debug-exit port. Loaded at 1 MiB and
// entered in 64-bit mode, the first 4 GiB mapped to themselves.
#define APIC 0xfee00000
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_TIMER 0x320
#define APIC_INITIAL_COUNT 0x380
#define TIMER_VECTOR 0x40
#define SOFTWARE_VECTOR 0x30
#define CMOS_DATA 0x71
#define SERIAL 0x3f8
#define DEBUG_EXIT 0xf4

        .code64
        .globl  _start
_start:
        movl    $0x300000, %esp
        movl    $6, %ecx
        leaq    undefined(%rip), %rax
        call    set_gate
        movl    $14, %ecx
        leaq    page_fault(%rip), %rax
        call    set_gate
        movl    $SOFTWARE_VECTOR, %ecx
        leaq    software(%rip), %rax
        call    set_gate
        movl    $TIMER_VECTOR, %ecx
        leaq    timer(%rip), %rax
        call    set_gate
        leaq    idt_pointer(%rip), %rax
        lidt    (%rax)

        int     $SOFTWARE_VECTOR        // three software interrupts
        int     $SOFTWARE_VECTOR
        int     $SOFTWARE_VECTOR
        ud2                             // one #UD
        movabsq $0x100000000000, %rax   // two #PF on a page that is not there
        movb    (%rax), %al
        movabsq $0x100000000000, %rax
        movb    (%rax), %al

        movl    $5, %esi                // five CPUID, five reads of the clock's registers
1:      xorl    %eax, %eax
        cpuid
        inb     $CMOS_DATA, %al
        decl    %esi
        jnz     1b

        movl    $SERIAL, %edx           // three bytes
        movb    $'h', %al
        outb    %al, %dx
        movb    $'i', %al
        outb    %al, %dx
        movb    $'\n', %al
        outb    %al, %dx

        movl    $4, %esi                // code that changes itself four times
1:      movb    %sil, patched+1(%rip)
patched:
        movb    $0, %al
        decl    %esi
        jnz     1b

        movl    $2, %esi                // two sleeps that the local timer ends
        movl    $APIC, %ebx
        movl    $0x1ff, APIC_SPURIOUS(%rbx)
        movl    $TIMER_VECTOR, APIC_TIMER(%rbx)
1:      movl    $100000, APIC_INITIAL_COUNT(%rbx)
        sti
        hlt
        cli
        decl    %esi
        jnz     1b

        movl    $1000, %ecx
1:      decl    %ecx
        jnz     1b
        xorl    %eax, %eax
        outb    %al, $DEBUG_EXIT
2:      hlt
        jmp     2b

// ECX: vector, RAX: handler. The code segment is the one in use.
set_gate:
        leaq    idt(%rip), %rdi
        shll    $4, %ecx
        addq    %rcx, %rdi
        movw    %ax, (%rdi)
        mov     %cs, 2(%rdi)
        movw    $0x8e00, 4(%rdi)
        shrq    $16, %rax
        movw    %ax, 6(%rdi)
        movl    $0, 8(%rdi)
        movl    $0, 12(%rdi)
        ret

undefined:
        addq    $2, (%rsp)
        iretq
page_fault:
        addq    $8, %rsp
        addq    $2, (%rsp)
        iretq
software:
        iretq
timer:
        movl    $0, APIC_EOI(%rbx)
        iretq

        .align  16
idt_pointer:
        .word   16 * 256 - 1
        .quad   idt
        .align  16
idt:    .skip   16 * 256

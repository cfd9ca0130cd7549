// SPDX-License-Identifier: Apache-2.0
// GDT, IDT, TSS and exception handlers for protected mode. An exception is recorded in trap_*, then control goes to
// `resume_at` in ring 0 with the stack at `resume_esp`; general registers are as the exception found them. When
// `trap_hook` is set it is called instead, with EBP pointing to the frame below, and the handler returns with IRET.

// Frame that hooks get in EBP (SDM 3A §6.12.1): registers of PUSHA, vector, error code, EIP, CS, EFLAGS, ESP, SS.
#define FRAME_EDI 0
#define FRAME_ESI 4
#define FRAME_EBP 8
#define FRAME_EBX 16
#define FRAME_EDX 20
#define FRAME_ECX 24
#define FRAME_EAX 28
#define FRAME_VECTOR 32
#define FRAME_ERROR 36
#define FRAME_EIP 40
#define FRAME_CS 44
#define FRAME_EFLAGS 48
#define FRAME_ESP 52
#define FRAME_SS 56

// Runs code that must raise a fault at its first instruction.
#define EXPECT_FAULT(vector, error, ...) \
        movl    %esp, resume_esp; \
        movl    $7702f, resume_at; \
        movl    $7701f, expected_eip; \
        movl    $(vector), expected_vector; \
        movl    $(error), expected_error; \
        movl    $__LINE__, expected_line; \
7701:   __VA_ARGS__; \
        call    missing_trap; \
7702:   call    check_trap

// Runs an instruction that must raise a trap: the saved EIP is behind it.
#define EXPECT_TRAP(vector, error, ...) \
        movl    %esp, resume_esp; \
        movl    $7702f, resume_at; \
        movl    $7701f, expected_eip; \
        movl    $(vector), expected_vector; \
        movl    $(error), expected_error; \
        movl    $__LINE__, expected_line; \
        __VA_ARGS__; \
7701:   call    missing_trap; \
7702:   call    check_trap

// Runs code that must raise a fault at label 7: of its own.
#define EXPECT_FAULT_AT_7(vector, error, ...) \
        movl    %esp, resume_esp; \
        movl    $7702f, resume_at; \
        movl    $7f, expected_eip; \
        movl    $(vector), expected_vector; \
        movl    $(error), expected_error; \
        movl    $__LINE__, expected_line; \
        __VA_ARGS__; \
        call    missing_trap; \
7702:   call    check_trap

#define STUB_SIZE 16

// Writes a descriptor into the GDT; all arguments are numbers.
#define SET_DESCRIPTOR(selector, base, limit, access, flags) \
        movl    $((limit) & 0xffff) | (((base) & 0xffff) << 16), gdt + ((selector) & 0xfff8); \
        movl    $(((base) >> 16) & 0xff) | ((access) << 8) | ((limit) & 0xf0000) | ((flags) << 20) | ((base) & 0xff000000), \
                gdt + ((selector) & 0xfff8) + 4

// Writes a gate; `offset` is a symbol.
#define SET_GATE(table, index, selector, offset, access, parameters) \
        pushl   %eax; \
        movl    $(offset), %eax; \
        movw    %ax, table + 8 * (index); \
        shrl    $16, %eax; \
        movw    %ax, table + 8 * (index) + 6; \
        popl    %eax; \
        movw    $(selector), table + 8 * (index) + 2; \
        movw    $(parameters) | ((access) << 8), table + 8 * (index) + 4

install_tables:
        movl    $exception_stubs, %eax
        movl    $idt, %edi
        movl    $256, %ecx
1:      movw    %ax, (%edi)
        movw    $CS32, 2(%edi)
        movw    $0x8e00, 4(%edi)        // present, DPL 0, 32-bit interrupt gate
        movl    %eax, %edx
        shrl    $16, %edx
        movw    %dx, 6(%edi)
        addl    $STUB_SIZE, %eax
        addl    $8, %edi
        loop    1b
        movb    $0xee, idt + 8 * BP + 5 // INT3 and INTO are for everyone
        movb    $0xee, idt + 8 * OF + 5
        movl    $tss32, %eax
        movw    %ax, gdt + TSS_SELECTOR + 2
        shrl    $16, %eax
        movb    %al, gdt + TSS_SELECTOR + 4
        movb    %ah, gdt + TSS_SELECTOR + 7
        movl    $ring0_stack_top, tss32 + 4
        movl    $DS32, tss32 + 8
        movw    $tss32_end - tss32, tss32 + 102 // I/O bitmap beyond the limit: no port is open
        lgdt    gdt_pointer
        lidt    idt_pointer
        ljmp    $CS32, $1f
1:      call    load_flat_segments
        movw    $TSS_SELECTOR, %ax
        ltr     %ax
        xorl    %eax, %eax
        lldt    %ax                     // after a reset LDTR is usable, with base 0
        ret

load_flat_segments:
        pushl   %eax
        movl    $DS32, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        popl    %eax
        pushl   $0
        popl    %fs
        pushl   $0
        popl    %gs
        ret

// One stub for each vector. Vectors 8, 10-14, 17 and 21 come with an error code.
        .align  16
exception_stubs:
        .set    vector, 0
        .rept   256
        .align  16
        .if     !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
        pushl   $0
        .endif
        pushl   $vector
        jmp     exception_common
        .set    vector, vector + 1
        .endr

exception_common:
        pushal
        movl    %esp, %ebp
        movl    $DS32, %eax
        movl    %eax, %ds
        movl    %eax, %es
        cld
        incl    trap_count
        movl    FRAME_VECTOR(%ebp), %eax
        movl    %eax, trap_vector
        movl    FRAME_ERROR(%ebp), %eax
        movl    %eax, trap_error
        movl    FRAME_EIP(%ebp), %eax
        movl    %eax, trap_eip
        movl    FRAME_CS(%ebp), %eax
        movl    %eax, trap_cs
        movl    FRAME_EFLAGS(%ebp), %eax
        movl    %eax, trap_eflags
        movl    %cr2, %eax
        movl    %eax, trap_cr2
        movl    %ebp, trap_frame
        movl    $0, trap_esp
        testb   $3, FRAME_CS(%ebp)
        jz      1f
        movl    FRAME_ESP(%ebp), %eax
        movl    %eax, trap_esp
        movl    FRAME_SS(%ebp), %eax
        movl    %eax, trap_ss
1:      movl    trap_hook, %eax
        testl   %eax, %eax
        jz      2f
        call    *%eax
        popal
        addl    $8, %esp
        iret
2:      cmpl    $0, resume_at
        je      unexpected_trap
        popal
        movl    $DS32, trap_scratch
        mov     trap_scratch, %ss
        movl    resume_esp, %esp
        pushl   $2
        popfl
        pushl   resume_at
        movl    $0, resume_at
        ret

unexpected_trap:
        PRINT(NAME ": unexpected exception ")
        movl    trap_vector, %eax
        call    print_decimal
        PRINT(" error ")
        movl    trap_error, %eax
        call    print_hex
        PRINT(" eip ")
        movl    trap_eip, %eax
        call    print_hex
        PRINT(" cs ")
        movl    trap_cs, %eax
        call    print_hex
        PRINT(" cr2 ")
        movl    trap_cr2, %eax
        call    print_hex
        PRINT(" after line ")
        movl    expected_line, %eax
        call    print_decimal
        PRINT("\n")
        movl    $EXIT_UNEXPECTED, %eax
        jmp     exit_with

// The code under test ran through. Control goes on behind the call, to check_trap, which finds no vector.
missing_trap:
        popl    trap_scratch
        movl    $0, resume_at
        movl    $-1, trap_vector
        movl    resume_esp, %esp
        jmp     *trap_scratch

// Compares what was recorded with what was expected.
check_trap:
        pushfl
        pushal
        incl    checks
        movl    trap_vector, %eax
        cmpl    expected_vector, %eax
        jne     1f
        movl    trap_error, %eax
        cmpl    expected_error, %eax
        jne     1f
        movl    trap_eip, %eax
        cmpl    expected_eip, %eax
        je      2f
1:      incl    failures
        movl    expected_line, %eax
        call    print_failure
        PRINT(": expected exception ")
        movl    expected_vector, %eax
        call    print_decimal
        PRINT(" error ")
        movl    expected_error, %eax
        call    print_hex
        PRINT(" at ")
        movl    expected_eip, %eax
        call    print_hex
        PRINT(", got ")
        movl    trap_vector, %eax
        call    print_hex
        PRINT(" error ")
        movl    trap_error, %eax
        call    print_hex
        PRINT(" at ")
        movl    trap_eip, %eax
        call    print_hex
        PRINT("\n")
2:      movl    $-1, trap_vector
        popal
        popfl
        ret

        .data
        .align  16
gdt:    .quad   0
        DESCRIPTOR(0, 0xfffff, PRESENT | CODE_XR, FLAGS_32BIT_4K)
        DESCRIPTOR(0, 0xfffff, PRESENT | DATA_RW, FLAGS_32BIT_4K)
        DESCRIPTOR(0, 0xfffff, PRESENT | DPL3 | CODE_XR, FLAGS_32BIT_4K)
        DESCRIPTOR(0, 0xfffff, PRESENT | DPL3 | DATA_RW, FLAGS_32BIT_4K)
        DESCRIPTOR(0, 0xfffff, PRESENT | DPL3 | CODE_XR, FLAGS_64BIT_4K)
        DESCRIPTOR(0, 0xfffff, PRESENT | CODE_XR, FLAGS_64BIT_4K)
        DESCRIPTOR(0, 0xfffff, PRESENT | DATA_RW, FLAGS_32BIT_4K)
        DESCRIPTOR(0, 0x67, PRESENT | SYSTEM_TSS32, 0)
        .quad   0
        .fill   32, 8, 0                // FREE_SELECTOR and up belong to the program
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt, 0
idt_pointer:
        .word   256 * 8 - 1
        .long   idt, 0
        .align  4
resume_at:       .long  0
resume_esp:      .long  0
trap_hook:       .long  0
trap_count:      .long  0
trap_vector:     .long  -1
trap_error:      .long  0
trap_eip:        .long  0
trap_cs:         .long  0
trap_eflags:     .long  0
trap_esp:        .long  0
trap_ss:         .long  0
trap_cr2:        .long  0
trap_frame:      .long  0
trap_scratch:    .long  0
expected_vector: .long  0
expected_error:  .long  0
expected_eip:    .long  0
expected_line:   .long  0

        .bss
        .align  4096
idt:    .skip   4096                    // 256 gates, 8 bytes each in protected mode, 16 in long mode
        .skip   4096
stack_bottom:
        .skip   16384
stack_top:
        .skip   16384
ring0_stack_top:
        .align  4096
tss32:  .skip   104
tss32_end:
        .skip   4096 - 104
        .text

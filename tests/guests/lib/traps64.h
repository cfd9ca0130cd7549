// SPDX-License-Identifier: Apache-2.0
// IDT, TSS and exception handlers for long mode; the same scheme as traps32.h with 64-bit values. Hooks get RBP
// pointing to the frame below.

// Frame: registers as pushed by the common code, vector, error code, RIP, CS, RFLAGS, RSP, SS (SDM 3A §6.14.2).
#define FRAME64_RAX 0
#define FRAME64_RCX 8
#define FRAME64_RBP 24
#define FRAME64_VECTOR 32
#define FRAME64_ERROR 40
#define FRAME64_RIP 48
#define FRAME64_CS 56
#define FRAME64_RFLAGS 64
#define FRAME64_RSP 72
#define FRAME64_SS 80
#define TSS64_RSP0 4
#define TSS64_IST(n) (36 + 8 * ((n) - 1))

#define PREPARE_FAULT64(vector, error, at) \
        movq    %rsp, resume_rsp; \
        movq    $7702f, resume_at64; \
        movq    $at, expected_rip; \
        movl    $(vector), expected_vector; \
        movl    $(error), expected_error; \
        movl    $__LINE__, expected_line

// Runs code that must raise a fault at its first instruction.
#define EXPECT_FAULT64(vector, error, ...) \
        PREPARE_FAULT64(vector, error, 7701f); \
7701:   __VA_ARGS__; \
        call    missing_trap64; \
7702:   call    check_trap64

// Runs code that must raise a fault at label 7: of its own.
#define EXPECT_FAULT64_AT_7(vector, error, ...) \
        PREPARE_FAULT64(vector, error, 7f); \
        __VA_ARGS__; \
        call    missing_trap64; \
7702:   call    check_trap64

// Runs code that must fault at any address, for jumps to places that cannot be fetched from.
#define EXPECT_FAULT64_SOMEWHERE(vector, error, rip, ...) \
        PREPARE_FAULT64(vector, error, 7702f); \
        pushq   %rax; \
        movabsq $(rip), %rax; \
        movq    %rax, expected_rip; \
        popq    %rax; \
        __VA_ARGS__; \
        call    missing_trap64; \
7702:   call    check_trap64

#define ENTER_USER64(label, flags) \
        pushq   $DS32_USER; \
        pushq   $user_stack64_top; \
        pushq   $(flags); \
        pushq   $CS64_USER; \
        pushq   $label; \
        iretq

#define USER_EXIT_VECTOR64 0x80
#define IN_USER64(...) \
        movq    %rsp, resume_rsp; \
        movq    $7751f, resume_at64; \
        ENTER_USER64(7750f, 2); \
7750:   __VA_ARGS__; \
        int     $USER_EXIT_VECTOR64; \
7751:   movl    $-1, trap_vector

#define EXPECT_USER_FAULT64(vector, error, ...) \
        EXPECT_FAULT64_AT_7(vector, error, ENTER_USER64(7f, 2); 7: __VA_ARGS__; int $USER_EXIT_VECTOR64)

// A gate of the 64-bit IDT: type byte and IST number.
#define SET_IDT_TYPE64(vector, type, ist) \
        movw    $((type) << 8) | (ist), idt + 16 * (vector) + 4

        .code64
install_tables64:
        movl    $exception_stubs64, %eax
        movl    $idt, %edi
        movl    $256, %ecx
1:      movw    %ax, (%rdi)
        movw    $CS64, 2(%rdi)
        movw    $0x8e00, 4(%rdi)
        movl    %eax, %edx
        shrl    $16, %edx
        movw    %dx, 6(%rdi)
        movq    $0, 8(%rdi)
        addl    $STUB_SIZE, %eax
        addl    $16, %edi
        loop    1b
        SET_IDT_TYPE64(BP, 0xee, 0)
        SET_IDT_TYPE64(OF, 0xee, 0)
        SET_IDT_TYPE64(USER_EXIT_VECTOR64, 0xee, 0)
        movl    $tss64, %eax
        movw    $0x67, gdt + TSS_SELECTOR
        movw    %ax, gdt + TSS_SELECTOR + 2
        shrl    $16, %eax
        movb    %al, gdt + TSS_SELECTOR + 4
        movb    $0x89, gdt + TSS_SELECTOR + 5
        movb    $0, gdt + TSS_SELECTOR + 6
        movb    %ah, gdt + TSS_SELECTOR + 7
        movq    $0, gdt + TSS_SELECTOR + 8
        movq    $ring0_stack_top, tss64 + TSS64_RSP0
        movw    $0x68, tss64 + 102
        lgdt    gdt_pointer
        lidt    idt_pointer64
        movl    $TSS_SELECTOR, %eax
        ltr     %ax
        ret

        .align  16
exception_stubs64:
        .set    vector, 0
        .rept   256
        .align  16
        .if     !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
        pushq   $0
        .endif
        pushq   $vector
        jmp     exception_common64
        .set    vector, vector + 1
        .endr

exception_common64:
        pushq   %rbp
        pushq   %rdx
        pushq   %rcx
        pushq   %rax
        movq    %rsp, %rbp
        cld
        incl    trap_count
        movl    FRAME64_VECTOR(%rbp), %eax
        movl    %eax, trap_vector
        movl    FRAME64_ERROR(%rbp), %eax
        movl    %eax, trap_error
        movq    FRAME64_RIP(%rbp), %rax
        movq    %rax, trap_rip
        movl    FRAME64_CS(%rbp), %eax
        movl    %eax, trap_cs
        movq    FRAME64_RFLAGS(%rbp), %rax
        movq    %rax, trap_rflags
        movq    FRAME64_RSP(%rbp), %rax
        movq    %rax, trap_rsp
        movl    FRAME64_SS(%rbp), %eax
        movl    %eax, trap_ss
        movq    %cr2, %rax
        movq    %rax, trap_cr2_64
        leaq    FRAME64_SS + 8(%rbp), %rax
        movq    %rax, trap_stack_top
        movq    trap_hook64, %rax
        testq   %rax, %rax
        jz      2f
        call    *%rax
        popq    %rax
        popq    %rcx
        popq    %rdx
        popq    %rbp
        addq    $16, %rsp
        iretq
2:      cmpq    $0, resume_at64
        je      unexpected_trap64
        movl    $DS64, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        popq    %rax
        popq    %rcx
        popq    %rdx
        popq    %rbp
        movq    resume_rsp, %rsp
        pushq   $2
        popfq
        pushq   resume_at64
        movq    $0, resume_at64
        ret

unexpected_trap64:
        PRINT64(NAME ": unexpected exception ")
        movl    trap_vector, %eax
        call    print_decimal64
        PRINT64(" error ")
        movl    trap_error, %eax
        call    print_hex64
        PRINT64(" rip ")
        movq    trap_rip, %rax
        call    print_hex64
        PRINT64(" cr2 ")
        movq    trap_cr2_64, %rax
        call    print_hex64
        PRINT64(" after line ")
        movl    expected_line, %eax
        call    print_decimal64
        PRINT64("\n")
        movl    $EXIT_UNEXPECTED, %ebx
        jmp     exit_with64

missing_trap64:
        popq    trap_scratch64
        movq    $0, resume_at64
        movl    $-1, trap_vector
        movq    resume_rsp, %rsp
        jmp     *trap_scratch64

check_trap64:
        pushfq
        pushq   %rax
        incl    checks
        movl    trap_vector, %eax
        cmpl    expected_vector, %eax
        jne     1f
        movl    trap_error, %eax
        cmpl    expected_error, %eax
        jne     1f
        movq    trap_rip, %rax
        cmpq    expected_rip, %rax
        je      2f
1:      incl    failures
        movl    expected_line, %eax
        call    print_failure64
        PRINT64(": expected exception ")
        movl    expected_vector, %eax
        call    print_decimal64
        PRINT64(" error ")
        movl    expected_error, %eax
        call    print_hex64
        PRINT64(" at ")
        movq    expected_rip, %rax
        call    print_hex64
        PRINT64(", got ")
        movl    trap_vector, %eax
        call    print_hex64
        PRINT64(" error ")
        movl    trap_error, %eax
        call    print_hex64
        PRINT64(" at ")
        movq    trap_rip, %rax
        call    print_hex64
        PRINT64("\n")
2:      movl    $-1, trap_vector
        popq    %rax
        popfq
        ret

        .data
        .align  8
idt_pointer64:
        .word   256 * 16 - 1
        .quad   idt
        .align  8
resume_at64:     .quad  0
resume_rsp:      .quad  0
trap_hook64:     .quad  0
trap_rip:        .quad  0
trap_rflags:     .quad  0
trap_rsp:        .quad  0
trap_cr2_64:     .quad  0
trap_stack_top:  .quad  0
trap_scratch64:  .quad  0
expected_rip:    .quad  0
        .bss
        .align  16
tss64:  .skip   104
        .skip   24
        .skip   8192
user_stack64_top:
        .text

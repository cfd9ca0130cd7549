// SPDX-License-Identifier: Apache-2.0
// Counting checks from 64-bit code. The counters are those of check.h.

        .code64
// Compares two values that PUSHQ accepts; immediates are sign-extended from 32 bits.
#define CHECK_EQ64(actual, expected) \
        pushq   actual; \
        pushq   expected; \
        pushq   $__LINE__; \
        call    check_equal64

#define CHECK_NOT_REACHED64 \
        pushq   $__LINE__; \
        call    report_reached64

// stack: line, expected, actual; removes them
check_equal64:
        pushfq
        pushq   %rax
        incl    checks
        movq    40(%rsp), %rax
        cmpq    32(%rsp), %rax
        je      1f
        incl    failures
        movl    24(%rsp), %eax
        call    print_failure64
        PRINT64(": got ")
        movq    40(%rsp), %rax
        call    print_hex64
        PRINT64(", expected ")
        movq    32(%rsp), %rax
        call    print_hex64
        PRINT64("\n")
1:      popq    %rax
        popfq
        ret     $24

report_reached64:
        pushq   %rax
        incl    checks
        incl    failures
        movl    16(%rsp), %eax
        call    print_failure64
        PRINT64(": reached what must not be reached\n")
        popq    %rax
        ret     $8

// EAX: source line
print_failure64:
        PRINT64(NAME " line ")
        call    print_decimal64
        ret

// Ends the run with the verdict.
finish64:
        movl    $EXIT_PASS, %ebx
        movl    failures, %eax
        testl   %eax, %eax
        jnz     1f
        PRINT64("PASS " NAME " ")
        movl    checks, %eax
        call    print_decimal64
        PRINT64(" checks\n")
        jmp     exit_with64
1:      PRINT64("FAIL " NAME " ")
        call    print_decimal64
        PRINT64(" of ")
        movl    checks, %eax
        call    print_decimal64
        PRINT64(" checks\n")
        movl    $EXIT_FAIL, %ebx

// EBX: what the debug exit port gets
exit_with64:
        movl    $COM1_LINE_STATUS, %edx
1:      inb     %dx, %al
        testb   $TRANSMITTER_IDLE, %al
        jz      1b
        movl    %ebx, %eax
        movl    $DEBUG_EXIT_PORT, %edx
        outl    %eax, %dx
        movl    $0x8900, %edx
        movl    $shutdown_word, %esi
        movl    $8, %ecx
        rep outsb
2:      cli
        hlt
        jmp     2b

// ZF set when QEMU's TCG runs this.
running_on_tcg64:
        pushq   %rax
        pushq   %rbx
        pushq   %rcx
        pushq   %rdx
        movl    $1, %eax
        cpuid
        notl    %ecx
        testl   $0x80000000, %ecx
        jnz     1f
        movl    $0x40000000, %eax
        cpuid
        cmpl    $0x54474354, %ebx       // "TCGT"
1:      popq    %rdx
        popq    %rcx
        popq    %rbx
        popq    %rax
        ret

#define SKIP_ON_TCG64(label, why) \
        call    running_on_tcg64; \
        jne     7780f; \
        PRINT64("skipped under TCG: " why "\n"); \
        jmp     label; \
7780:

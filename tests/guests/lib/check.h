// SPDX-License-Identifier: Apache-2.0
// Counting checks and ending the program. 32-bit.

// Compares two values that PUSHL accepts. Registers and flags survive.
// `actual` is pushed first so that an operand relative to ESP means the same as outside the macro.
#define CHECK_EQ(actual, expected) \
        pushl   actual; \
        pushl   expected; \
        pushl   $__LINE__; \
        call    check_equal

// Fails when control gets here.
#define CHECK_NOT_REACHED \
        pushl   $__LINE__; \
        call    report_reached

// stack: line, expected, actual; removes them
check_equal:
        pushfl
        incl    checks
        pushl   %eax
        movl    20(%esp), %eax
        cmpl    16(%esp), %eax
        popl    %eax
        jne     1f
        popfl
        ret     $12
1:      incl    failures
        pushal
        movl    40(%esp), %eax
        call    print_failure
        PRINT(": got ")
        movl    48(%esp), %eax
        call    print_hex
        PRINT(", expected ")
        movl    44(%esp), %eax
        call    print_hex
        PRINT("\n")
        popal
        popfl
        ret     $12

report_reached:
        pushfl
        pushal
        incl    checks
        incl    failures
        movl    40(%esp), %eax
        call    print_failure
        PRINT(": reached what must not be reached\n")
        popal
        popfl
        ret     $4

// EAX: source line
print_failure:
        PRINT(NAME " line ")
        call    print_decimal
        ret

// Ends the run with the verdict.
finish:
        movl    failures, %eax
        testl   %eax, %eax
        jnz     1f
        PRINT("PASS " NAME " ")
        movl    checks, %eax
        call    print_decimal
        PRINT(" checks\n")
        movl    $EXIT_PASS, %eax
        jmp     exit_with
1:      PRINT("FAIL " NAME " ")
        call    print_decimal
        PRINT(" of ")
        movl    checks, %eax
        call    print_decimal
        PRINT(" checks\n")
        movl    $EXIT_FAIL, %eax

// EAX: what the debug exit port gets
exit_with:
        movl    %eax, %ebx
        call    drain_serial
        movl    %ebx, %eax
        movl    $DEBUG_EXIT_PORT, %edx
        outl    %eax, %dx
        // Without that device: Bochs ends when it reads this word at its own port.
        movl    $0x8900, %edx
        movl    $shutdown_word, %esi
        movl    $8, %ecx
        rep outsb
1:      cli
        hlt
        jmp     1b

// ZF set when QEMU's TCG runs this: it does not check segment limits and types, among other things.
running_on_tcg:
        pushal
        movl    $1, %eax
        cpuid
        notl    %ecx
        testl   $0x80000000, %ecx
        jnz     1f
        movl    $0x40000000, %eax
        cpuid
        cmpl    $0x54474354, %ebx       // "TCGT"
1:      popal
        ret

// Skips to `label` where the reference emulator is known to be wrong; `why` goes to the serial port.
#define SKIP_ON_TCG(label, why) \
        call    running_on_tcg; \
        jne     7780f; \
        PRINT("skipped under TCG: " why "\n"); \
        jmp     label; \
7780:

// ZF set when Bochs runs this, with its port_e9_hack switched on.
running_on_bochs:
        pushl   %eax
        inb     $0xe9, %al
        cmpb    $0xe9, %al
        popl    %eax
        ret

#define SKIP_ON_BOCHS(label, why) \
        call    running_on_bochs; \
        jne     7781f; \
        PRINT("skipped under Bochs: " why "\n"); \
        jmp     label; \
7781:

        .section .rodata
shutdown_word:
        .ascii  "Shutdown"
        .data
        .align  4
checks:         .long   0
failures:       .long   0
        .text

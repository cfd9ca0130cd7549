// SPDX-License-Identifier: Apache-2.0
// Code at CPL 3. The way back to ring 0 is `int $0x80`, which ends up at `resume_at` like every exception.

#define USER_EXIT_VECTOR 0x80

// Goes to `label` in ring 3 with `flags`; data segments are the user's.
#define ENTER_USER(label, flags) \
        pushl   %eax; \
        movl    $DS32_USER, %eax; \
        mov     %eax, %ds; \
        mov     %eax, %es; \
        popl    %eax; \
        pushl   $DS32_USER; \
        pushl   $user_stack_top; \
        pushl   $(flags); \
        pushl   $CS32_USER; \
        pushl   $label; \
        iret

// Runs instructions in ring 3 and comes back.
#define IN_USER(...) \
        movl    %esp, resume_esp; \
        movl    $7751f, resume_at; \
        ENTER_USER(7750f, 2); \
7750:   __VA_ARGS__; \
        int     $USER_EXIT_VECTOR; \
7751:   movl    $-1, trap_vector

// Runs one instruction in ring 3 that must fault.
#define EXPECT_USER_FAULT(vector, error, ...) \
        EXPECT_FAULT_AT_7(vector, error, ENTER_USER(7f, 2); 7: __VA_ARGS__; int $USER_EXIT_VECTOR)

open_user_exit:
        movb    $0xee, idt + 8 * USER_EXIT_VECTOR + 5
        ret

        .bss
        .align  16
        .skip   8192
user_stack_top:
        .text

// SPDX-License-Identifier: Apache-2.0
// The two doors between the harness and the instruction under test.
        .text

// void enter_guest(void *ucontext): loads the whole CPU state from a signal frame. Control comes back through
// signal_entry, after the instruction has faulted, as the return from this function.
        .globl  enter_guest
        .type   enter_guest, @function
enter_guest:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, host_stack(%rip)
        movq    %rdi, %rsp              // rt_sigreturn finds the ucontext at RSP
        movl    $15, %eax               // __NR_rt_sigreturn
        syscall
        ud2

// Every signal lands here, on the alternate stack. The kernel leaves AC and NT as the guest had them.
        .globl  signal_entry
        .type   signal_entry, @function
signal_entry:
        pushq   $0x202
        popfq
        subq    $8, %rsp
        call    on_signal
        addq    $8, %rsp
        testl   %eax, %eax
        jz      1f
        ret                             // to the restorer: back to what was interrupted
1:      movq    host_stack(%rip), %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

        .local  host_stack
        .comm   host_stack, 8, 8
        .section .note.GNU-stack, "", @progbits

// SPDX-License-Identifier: Apache-2.0
// Single-stepping, hardware breakpoints on execution, writes, accesses and I/O, and what DR6 says afterwards.
#define NAME "debug"
#include "lib/guest.h"

#define DR6_B0 1
#define DR6_B1 2
#define DR6_BD 0x2000
#define DR6_BS 0x4000
#define DR6_FIXED 0xffff0ff0
#define DR7_FIXED 0x400
#define DR7_GD 0x2000
#define ENABLE(n) (2 << (2 * (n)))
#define ON_EXECUTE(n) 0
#define ON_WRITE(n, length) (1 << (16 + 4 * (n)) | ((length) - 1) << (18 + 4 * (n)))
#define ON_IO(n, length) (2 << (16 + 4 * (n)) | ((length) - 1) << (18 + 4 * (n)))
#define ON_ACCESS(n, length) (3 << (16 + 4 * (n)) | ((length) - 1) << (18 + 4 * (n)))
#define LOG_SIZE 16

// Sets the hook that notes EIP and DR6 of every #DB and goes on.
#define START_LOG \
        movl    $0, log_count; \
        movl    $note_debug, trap_hook; \
        movl    $DR6_FIXED, %eax; \
        movl    %eax, %dr6
#define STOP_LOG \
        movl    $0, trap_hook; \
        movl    $DR7_FIXED, %eax; \
        movl    %eax, %dr7
#define CHECK_LOG(n, label, dr6) \
        CHECK_EQ(log + 8 * (n), $label); \
        CHECK_EQ(log + 8 * (n) + 4, $(DR6_FIXED | (dr6)))

main:
        call    single_step
        call    step_edges
        call    execute_breakpoints
        call    data_breakpoints
        call    string_breakpoints
        call    io_breakpoints
        call    general_detect
        call    register_rules
        ret

// EBP: frame. Takes RF so that an execution breakpoint does not fire again on return.
note_debug:
        cmpl    $DB, FRAME_VECTOR(%ebp)
        jne     unexpected_trap
        movl    log_count, %ecx
        cmpl    $LOG_SIZE, %ecx
        jae     1f
        movl    FRAME_EIP(%ebp), %eax
        movl    %eax, log(, %ecx, 8)
        movl    %dr6, %eax
        movl    %eax, log + 4(, %ecx, 8)
1:      incl    log_count
        movl    $DR6_FIXED, %eax
        movl    %eax, %dr6
        orl     $EFLAGS_RF, FRAME_EFLAGS(%ebp)
        ret

single_step:
        START_LOG
        pushl   $EFLAGS_TF | 2
        popfl                           // the trap comes after the next instruction
        nop
step1:  movl    $5, %ecx
step2:  decl    %ecx
step3:  pushfl
step4:  andl    $~EFLAGS_TF, (%esp)
step5:  popfl                           // TF was set when it began, so it traps once more
step6:  nop
        nop
        STOP_LOG
        CHECK_EQ(log_count, $6)
        CHECK_LOG(0, step1, DR6_BS)
        CHECK_LOG(1, step2, DR6_BS)
        CHECK_LOG(2, step3, DR6_BS)
        CHECK_LOG(3, step4, DR6_BS)
        CHECK_LOG(4, step5, DR6_BS)
        CHECK_LOG(5, step6, DR6_BS)
        CHECK_EQ(%ecx, $4)
        ret

step_edges:
        // a repeated string instruction traps after every iteration
        START_LOG
        movl    $3, %ecx
        movl    $scratch, %edi
        pushl   $EFLAGS_TF | 2
        popfl
rep1:   rep stosb
rep2:   pushl   $2
rep3:   popfl
rep4:   nop
        STOP_LOG
        CHECK_EQ(log_count, $5)
        CHECK_LOG(0, rep1, DR6_BS)
        CHECK_LOG(1, rep1, DR6_BS)
        CHECK_LOG(2, rep2, DR6_BS)
        CHECK_LOG(3, rep3, DR6_BS)
        CHECK_LOG(4, rep4, DR6_BS)
        // no trap between MOV SS and the next instruction
        START_LOG
        mov     %ss, %edx
        pushl   $EFLAGS_TF | 2
        popfl
        mov     %edx, %ss
shadow1: nop
shadow2: pushl  $2
shadow3: popfl
shadow4: nop
        STOP_LOG
        CHECK_EQ(log_count, $3)
        CHECK_LOG(0, shadow2, DR6_BS)
        CHECK_LOG(1, shadow3, DR6_BS)
        CHECK_LOG(2, shadow4, DR6_BS)
        // a faulting instruction is not stepped: TF is in the saved flags, BS is not set
        movl    $DR6_FIXED, %eax
        movl    %eax, %dr6
        EXPECT_FAULT_AT_7(UD, 0, pushl $EFLAGS_TF | 2; popfl; 7: ud2)
        movl    trap_eflags, %eax
        andl    $EFLAGS_TF, %eax
        CHECK_EQ(%eax, $EFLAGS_TF)
        movl    %dr6, %eax
        CHECK_EQ(%eax, $DR6_FIXED)
        // a taken branch
        START_LOG
        pushl   $EFLAGS_TF | 2
        popfl
        jmp     branch1
        ud2
branch1: pushl  $2
branch2: popfl
branch3: nop
        STOP_LOG
        CHECK_EQ(log_count, $3)
        CHECK_LOG(0, branch1, DR6_BS)
        // INT1 is a trap without BS
        SKIP_ON_TCG(1f, "INT1")
        START_LOG
        .byte   0xf1
int1_end:
        STOP_LOG
        CHECK_EQ(log_count, $1)
        CHECK_LOG(0, int1_end, 0)
1:      ret

execute_breakpoints:
        START_LOG
        movl    $point1, %eax
        movl    %eax, %dr0
        movl    $point2 + 1, %eax       // in the middle of an instruction: never
        movl    %eax, %dr1
        movl    $point3, %eax
        movl    %eax, %dr3
        movl    $ENABLE(0) | ENABLE(1) | ENABLE(3) | DR7_FIXED, %eax
        movl    %eax, %dr7
        movl    $3, %ecx
point1: incl    %ebx                    // a fault, before it
point2: movl    $0x11111111, %edx
point3: loop    point1
        STOP_LOG
        CHECK_EQ(log_count, $6)
        CHECK_LOG(0, point1, DR6_B0)
        CHECK_LOG(1, point3, 8)
        CHECK_LOG(2, point1, DR6_B0)
        CHECK_LOG(5, point3, 8)
        ret

data_breakpoints:
        SKIP_ON_TCG(1f, "data breakpoints, which report one access twice")
        START_LOG
        movl    $scratch + 8, %eax
        movl    %eax, %dr0
        movl    $scratch + 16, %eax
        movl    %eax, %dr1
        movl    $ENABLE(0) | ENABLE(1) | ON_WRITE(0, 4) | ON_ACCESS(1, 2) | DR7_FIXED, %eax
        movl    %eax, %dr7
        movl    scratch + 8, %edx       // reads do not count for 0
        movl    %edx, scratch + 4
        movl    %edx, scratch + 12
        movb    %dl, scratch + 11
write1: movl    %edx, scratch + 5       // overlaps by one byte
write2: movw    scratch + 16, %dx
write3: movb    %dl, scratch + 17
write4: movl    scratch + 18, %edx
        incl    scratch + 8
write5: pushl   scratch + 14
write6: popl    %edx
        STOP_LOG
        CHECK_EQ(log_count, $6)
        CHECK_LOG(0, write1, DR6_B0)
        CHECK_LOG(1, write2, DR6_B0)
        CHECK_LOG(2, write3, DR6_B1)
        CHECK_LOG(3, write4, DR6_B1)
        CHECK_LOG(4, write5, DR6_B0)
        CHECK_LOG(5, write6, DR6_B1)
        // together with single-stepping
        START_LOG
        movl    $ENABLE(0) | ON_WRITE(0, 4) | DR7_FIXED, %eax
        movl    %eax, %dr7
        pushl   $EFLAGS_TF | 2
        popfl
        movl    %edx, scratch + 8
both1:  pushl   $2
both2:  popfl
both3:  nop
        STOP_LOG
        CHECK_EQ(log_count, $3)
        CHECK_LOG(0, both1, DR6_BS | DR6_B0)
        // a disabled breakpoint may still be reported, but never traps
        START_LOG
        movl    $ON_WRITE(0, 4) | DR7_FIXED, %eax
        movl    %eax, %dr7
        movl    %edx, scratch + 8
        STOP_LOG
        CHECK_EQ(log_count, $0)
1:      ret

string_breakpoints:
        START_LOG
        movl    $scratch + 8, %eax
        movl    %eax, %dr0
        movl    $ENABLE(0) | ON_WRITE(0, 1) | DR7_FIXED, %eax
        movl    %eax, %dr7
        movl    $scratch, %edi
        movl    $32, %ecx
string1: rep stosb
string2: nop
        STOP_LOG
        CHECK_EQ(log_count, $1)
        CHECK_EQ(log, $string1)         // between two iterations
        CHECK_EQ(%ecx, $0)
        ret

io_breakpoints:
        SKIP_ON_TCG(1f, "I/O breakpoint details")
        movl    %cr4, %eax
        orl     $CR4_DE, %eax
        movl    %eax, %cr4
        START_LOG
        movl    $0x61, %eax
        movl    %eax, %dr2
        movl    $ENABLE(2) | ON_IO(2, 1) | DR7_FIXED, %eax
        movl    %eax, %dr7
        inb     $0x60, %al
        inb     $0x61, %al
io1:    inb     $0x62, %al
        STOP_LOG
        CHECK_EQ(log_count, $1)
        CHECK_LOG(0, io1, 4)
        EXPECT_FAULT(UD, 0, movl %dr4, %eax)    // with CR4.DE, DR4 is not DR6
        movl    %cr4, %eax
        andl    $~CR4_DE, %eax
        movl    %eax, %cr4
        movl    %dr4, %eax
1:      ret

general_detect:
        SKIP_ON_TCG(1f, "general detect")
        movl    $DR6_FIXED, %eax
        movl    %eax, %dr6
        movl    $DR7_GD | DR7_FIXED, %eax
        movl    %eax, %dr7
        EXPECT_FAULT(DB, 0, movl %dr0, %ebx)
        movl    %dr7, %eax
        CHECK_EQ(%eax, $DR7_FIXED)              // delivery clears GD
        movl    %dr6, %eax
        CHECK_EQ(%eax, $DR6_FIXED | DR6_BD)
1:      movl    $DR6_FIXED, %eax
        movl    %eax, %dr6
        ret

register_rules:
        movl    $0x12345678, %eax
        movl    %eax, %dr2
        movl    %dr2, %ebx
        CHECK_EQ(%ebx, $0x12345678)
        movl    $0, %eax
        movl    %eax, %dr7
        movl    %dr7, %ebx
        CHECK_EQ(%ebx, $DR7_FIXED)
        movl    %eax, %dr6
        movl    %dr6, %ebx
        CHECK_EQ(%ebx, $DR6_FIXED)
        // RF: one instruction without execution breakpoints
        START_LOG
        movl    $resume1, %eax
        movl    %eax, %dr0
        movl    $ENABLE(0) | DR7_FIXED, %eax
        movl    %eax, %dr7
        pushl   $EFLAGS_RF | 2
        pushl   $CS32
        pushl   $resume1
        iret
resume1: nop
        STOP_LOG
        CHECK_EQ(log_count, $0)
        ret

        .data
        .align  16
scratch:        .fill 64
log_count:      .long 0
log:            .fill LOG_SIZE, 8
        .text

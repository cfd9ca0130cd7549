// SPDX-License-Identifier: Apache-2.0
// What every guest program starts with: the Multiboot header, descriptor tables, a serial port, checks, and exception
// handlers that record what happened. Included once at the top of a program; the program defines `main` (32-bit
// protected mode, flat segments, paging off, interrupts off) and the string NAME.

#define DEBUG_EXIT_PORT 0xf4
#define EXIT_PASS 0x10
#define EXIT_FAIL 0x11
#define EXIT_UNEXPECTED 0x12

// Selectors. The order serves SYSENTER/SYSEXIT from 0x08 and SYSCALL/SYSRET from 0x30 and 0x18.
#define CS32 0x08
#define DS32 0x10
#define CS32_USER 0x1b
#define DS32_USER 0x23
#define CS64_USER 0x2b
#define CS64 0x30
#define DS64 0x38
#define TSS_SELECTOR 0x40
#define FREE_SELECTOR 0x50

// Access bytes and flags of descriptors (SDM 3A §3.4.5).
#define PRESENT 0x80
#define DPL3 0x60
#define DATA_RW 0x12
#define DATA_RO 0x10
#define DATA_EXPAND_DOWN_RW 0x16
#define CODE_XR 0x1a
#define CODE_XO 0x18
#define CODE_CONFORMING_XR 0x1e
#define SYSTEM_TSS32 0x09
#define SYSTEM_LDT 0x02
#define SYSTEM_CALL_GATE32 0x0c
#define SYSTEM_INTERRUPT_GATE32 0x0e
#define SYSTEM_TRAP_GATE32 0x0f
#define SYSTEM_TASK_GATE 0x05
#define FLAGS_32BIT_4K 0xc
#define FLAGS_32BIT_BYTES 0x4
#define FLAGS_16BIT_BYTES 0x0
#define FLAGS_64BIT_4K 0xa

#define DE 0
#define DB 1
#define BP 3
#define OF 4
#define BR 5
#define UD 6
#define NM 7
#define DF 8
#define TS 10
#define NP 11
#define SS 12
#define GP 13
#define PF 14
#define MF 16
#define AC 17
#define XM 19

#define EFLAGS_CF 0x1
#define EFLAGS_TF 0x100
#define EFLAGS_IF 0x200
#define EFLAGS_NT 0x4000
#define EFLAGS_RF 0x10000
#define EFLAGS_AC 0x40000
#define CR0_PE 0x1
#define CR0_MP 0x2
#define CR0_EM 0x4
#define CR0_TS 0x8
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_AM 0x40000
#define CR0_PG 0x80000000
#define CR4_TSD 0x4
#define CR4_DE 0x8
#define CR4_PSE 0x10
#define CR4_PAE 0x20
#define CR4_PGE 0x80
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define CR4_UMIP 0x800
#define CR4_PCIDE 0x20000
#define CR4_SMEP 0x100000
#define CR4_SMAP 0x200000
#define MSR_EFER 0xc0000080
#define EFER_SCE 0x1
#define EFER_LME 0x100
#define EFER_NXE 0x800

// descriptor base, limit, access byte, flags nibble
#define DESCRIPTOR(base, limit, access, flags) \
        .word   (limit) & 0xffff, (base) & 0xffff; \
        .byte   ((base) >> 16) & 0xff, access, ((flags) << 4) | (((limit) >> 16) & 0xf), ((base) >> 24) & 0xff

        .section .multiboot, "a"
        .align  4
        .long   0x1badb002, 0, -0x1badb002

        .text
        .code32
        .globl  _start
_start:
        cli
        cld
        movl    $stack_top, %esp
        movb    $0xff, %al              // no interrupts from the PICs, whatever the firmware left behind
        outb    %al, $0x21
        outb    %al, $0xa1
        call    set_up_serial
        call    install_tables
        call    main
        jmp     finish

#include "serial.h"
#include "check.h"
#include "traps32.h"

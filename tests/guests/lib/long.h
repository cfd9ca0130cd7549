// SPDX-License-Identifier: Apache-2.0
// The way from 32-bit protected mode to 64-bit mode, and four-level page tables (SDM 3A §4.5): the first 16 MiB
// identity-mapped with 2 MiB pages, one page table for TEST_LINEAR. A program that includes this defines `main64`.

#define P_PRESENT 0x1
#define P_WRITE 0x2
#define P_USER 0x4
#define P_ACCESSED 0x20
#define P_DIRTY 0x40
#define P_LARGE 0x80
#define P_GLOBAL 0x100
#define P_NX_HIGH 0x80000000            // bit 63, in the upper half of an entry
#define PF_PRESENT 0x1
#define PF_WRITE 0x2
#define PF_USER 0x4
#define PF_RESERVED 0x8
#define PF_FETCH 0x10
#define TEST_LINEAR 0x40000000
#define TEST_PHYSICAL 0x800000
#define IDENTITY_LARGE_PAGES 8

#define PTE(n) test_table + 8 * (n)
#define TEST_PAGE(n) (TEST_LINEAR + 0x1000 * (n))
// Maps page n of the test area to page m of the test memory; `high` are bits 32-63 of the entry. 64-bit code.
#define MAP_TEST(n, m, flags, high) \
        movl    $(TEST_PHYSICAL + 0x1000 * (m)) | (flags), PTE(n); \
        movl    $(high), PTE(n) + 4; \
        invlpg  TEST_PAGE(n)

        .code32
// Fills the tables; leaf entries of the identity map get the flags in EAX.
build_long_tables:
        orl     $P_LARGE | P_PRESENT | P_WRITE, %eax
        movl    $identity_directory, %edi
        movl    $IDENTITY_LARGE_PAGES, %ecx
1:      movl    %eax, (%edi)
        movl    $0, 4(%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    1b
        movl    $identity_directory + (P_PRESENT | P_WRITE | P_USER), page_directory_pointers
        movl    $test_directory + (P_PRESENT | P_WRITE | P_USER), page_directory_pointers + 8
        movl    $test_table + (P_PRESENT | P_WRITE | P_USER), test_directory
        movl    $page_directory_pointers + (P_PRESENT | P_WRITE | P_USER), page_map
        ret

enter_long_mode:
        xorl    %eax, %eax
        call    build_long_tables
        movl    %cr4, %eax
        orl     $CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT, %eax
        movl    %eax, %cr4
        movl    $page_map, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_LME | EFER_NXE | EFER_SCE, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $CR0_PG | CR0_WP | CR0_NE | CR0_MP, %eax
        movl    %eax, %cr0
        movl    $MSR_EFER, %ecx
        rdmsr
        andl    $0x400, %eax
        CHECK_EQ(%eax, $0x400)          // LMA: this is compatibility mode now
        ljmp    $CS64, $in_long_mode
        .code64
in_long_mode:
        movl    $DS64, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        call    install_tables64
        call    main64
        jmp     finish64

        .bss
        .align  4096
page_map:                       .skip 4096
page_directory_pointers:        .skip 4096
identity_directory:             .skip 4096
test_directory:                 .skip 4096
test_table:                     .skip 4096
        .text

#include "serial64.h"
#include "check64.h"
#include "traps64.h"

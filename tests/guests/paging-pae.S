// SPDX-License-Identifier: Apache-2.0
// PAE paging: three levels, 2 MiB pages, NX, the page-directory-pointer registers, reserved bits.
#define NAME "paging-pae"
#include "lib/guest.h"
#include "lib/user32.h"

#define P_PRESENT 0x1
#define P_WRITE 0x2
#define P_USER 0x4
#define P_ACCESSED 0x20
#define P_DIRTY 0x40
#define P_LARGE 0x80
#define PF_PRESENT 0x1
#define PF_WRITE 0x2
#define PF_USER 0x4
#define PF_RESERVED 0x8
#define PF_FETCH 0x10
#define NX_HIGH 0x80000000
#define TEST_LINEAR 0x40000000
#define TEST_PHYSICAL 0x800000
#define TEST_PAGE(n) (TEST_LINEAR + 0x1000 * (n))
#define PTE(n) test_table + 8 * (n)
#define MAP_TEST(n, m, flags, high) \
        movl    $(TEST_PHYSICAL + 0x1000 * (m)) | (flags), PTE(n); \
        movl    $(high), PTE(n) + 4; \
        invlpg  TEST_PAGE(n)

main:
        call    open_user_exit
        call    start
        call    mapping
        call    no_execute
        call    pointer_registers
        call    reserved_bits
        ret

start:
        movl    $identity_directory, %edi
        movl    $P_LARGE | P_WRITE | P_PRESENT | P_USER, %eax
        movl    $8, %ecx
1:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    1b
        movl    $identity_directory + P_PRESENT, pointers
        movl    $test_directory + P_PRESENT, pointers + 8
        movl    $test_table + (P_PRESENT | P_WRITE | P_USER), test_directory
        movl    %cr4, %eax
        orl     $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $pointers, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_NXE, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $CR0_PG | CR0_WP, %eax
        movl    %eax, %cr0
        ret

mapping:
        MAP_TEST(0, 0, P_PRESENT | P_WRITE, 0)
        movl    $0x1357, TEST_PAGE(0)
        CHECK_EQ(TEST_PHYSICAL, $0x1357)
        movl    PTE(0), %ebx
        andl    $P_ACCESSED | P_DIRTY, %ebx
        CHECK_EQ(%ebx, $P_ACCESSED | P_DIRTY)
        movl    $TEST_PHYSICAL | P_LARGE | P_PRESENT | P_WRITE, test_directory + 8
        CHECK_EQ(0x40200000, $0x1357)
        movl    $0x2468, 0x402ffffc
        CHECK_EQ(TEST_PHYSICAL + 0xffffc, $0x2468)
        EXPECT_FAULT(PF, 0, movl 0x40400000, %eax)
        EXPECT_FAULT(PF, 0, movl 0x80000000, %eax)
        CHECK_EQ(trap_cr2, $0x80000000)
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER, movl TEST_PAGE(0), %eax)
        MAP_TEST(0, 0, P_PRESENT | P_USER, 0)
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER | PF_WRITE, movl %eax, TEST_PAGE(0))
        IN_USER(movl TEST_PAGE(0), %eax)
        CHECK_EQ(%eax, $0x1357)
        ret

no_execute:
        movb    $0xc3, TEST_PHYSICAL
        MAP_TEST(0, 0, P_PRESENT, NX_HIGH)
        movl    $TEST_PAGE(0), %eax
        movl    %esp, resume_esp
        movl    $1f, resume_at
        movl    $TEST_PAGE(0), expected_eip
        movl    $PF, expected_vector
        movl    $PF_PRESENT | PF_FETCH, expected_error
        jmp     *%eax
1:      call    check_trap
        movl    %esp, resume_esp
        movl    $1f, resume_at
        movl    $PF_PRESENT | PF_FETCH | PF_USER, expected_error
        ENTER_USER(TEST_PAGE(0), 2)
1:      call    check_trap
        MAP_TEST(0, 0, P_PRESENT, 0)
        call    *%eax
        ret

// The four pointers are loaded by MOV CR3 (SDM 3A §4.4.1), not at every walk.
pointer_registers:
        movl    $test_directory + P_PRESENT, pointers + 16
        movl    %cr3, %eax
        movl    %eax, %cr3
        MAP_TEST(0, 0, P_PRESENT, 0)
        CHECK_EQ(0x80000000, TEST_PHYSICAL)
        movl    $0, pointers + 16
        invlpg  0x80000000
        SKIP_ON_TCG(1f, "page-directory-pointer registers")
        CHECK_EQ(0x80000000, TEST_PHYSICAL)     // memory has changed, the register has not
        movl    %cr3, %eax
        movl    %eax, %cr3
        EXPECT_FAULT(PF, 0, movl 0x80000000, %eax)
        // reserved bits make the load fail
        movl    $test_directory + P_PRESENT + P_WRITE, pointers + 16
        movl    %cr3, %eax
        EXPECT_FAULT(GP, 0, movl %eax, %cr3)
        movl    $test_directory + P_WRITE, pointers + 16        // not present: nothing is reserved
        movl    %eax, %cr3
1:      movl    $0, pointers + 16
        movl    %cr3, %eax
        movl    %eax, %cr3
        ret

reserved_bits:
        SKIP_ON_TCG(1f, "the P bit of reserved-bit faults")
        MAP_TEST(1, 1, P_PRESENT, 0x00080000)
        EXPECT_FAULT(PF, PF_PRESENT | PF_RESERVED, movl TEST_PAGE(1), %eax)
        MAP_TEST(1, 1, P_PRESENT, 0x40000000)                   // bit 62 is reserved with PAE
        EXPECT_FAULT(PF, PF_PRESENT | PF_RESERVED, movl TEST_PAGE(1), %eax)
        movl    $TEST_PHYSICAL | P_LARGE | P_PRESENT | 0x2000, test_directory + 8
        invlpg  0x40200000
        EXPECT_FAULT(PF, PF_PRESENT | PF_RESERVED, movl 0x40200000, %eax)
        movl    $MSR_EFER, %ecx
        rdmsr
        andl    $~EFER_NXE, %eax
        wrmsr
        MAP_TEST(1, 1, P_PRESENT, NX_HIGH)
        EXPECT_FAULT(PF, PF_PRESENT | PF_RESERVED, movl TEST_PAGE(1), %eax)
1:      ret

        .bss
        .align  4096
identity_directory:     .skip 4096
test_directory:         .skip 4096
test_table:             .skip 4096
pointers:               .skip 32
        .text

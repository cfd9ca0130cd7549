// SPDX-License-Identifier: Apache-2.0
// Two-level page tables (SDM 3A §4.3): the first 16 MiB identity-mapped with 4 MiB pages for the supervisor and, for
// tests, one page table for TEST_LINEAR.

#define P_PRESENT 0x1
#define P_WRITE 0x2
#define P_USER 0x4
#define P_ACCESSED 0x20
#define P_DIRTY 0x40
#define P_LARGE 0x80
#define P_GLOBAL 0x100
#define PF_PRESENT 0x1
#define PF_WRITE 0x2
#define PF_USER 0x4
#define PF_RESERVED 0x8
#define PF_FETCH 0x10
#define TEST_LINEAR 0x40000000
#define TEST_PHYSICAL 0x800000

// Entry `n` of the test table.
#define PTE(n) test_table + 4 * (n)
#define TEST_PAGE(n) (TEST_LINEAR + 0x1000 * (n))
// Maps page n of the test area to page m of the test memory and forgets the old translation.
#define MAP_TEST(n, m, flags) \
        movl    $(TEST_PHYSICAL + 0x1000 * (m)) | (flags), PTE(n); \
        invlpg  TEST_PAGE(n)

start_paging:
        movl    $page_directory, %edi
        movl    $P_LARGE | P_WRITE | P_PRESENT, %eax
        movl    $4, %ecx
1:      stosl
        addl    $0x400000, %eax
        loop    1b
        movl    $test_table, %eax
        orl     $P_PRESENT | P_WRITE | P_USER, %eax
        movl    %eax, page_directory + 4 * (TEST_LINEAR >> 22)
        movl    $page_directory, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $CR4_PSE, %eax
        movl    %eax, %cr4
        movl    %cr0, %eax
        orl     $CR0_PG | CR0_WP, %eax
        movl    %eax, %cr0
        ret

        .bss
        .align  4096
page_directory: .skip 4096
test_table:     .skip 4096
        .text

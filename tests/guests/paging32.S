// SPDX-License-Identifier: Apache-2.0
// 32-bit paging: rights, error codes, CR2, accessed and dirty bits, CR0.WP, large and global pages, INVLPG, accesses
// and instructions that straddle pages.
#define NAME "paging32"
#include "lib/guest.h"
#include "lib/user32.h"
#include "lib/pages32.h"

main:
        call    open_user_exit
        call    start_paging
        // ring 3 needs to reach its stack and the code of this program
        orl     $P_USER, page_directory
        movl    %cr3, %eax
        movl    %eax, %cr3
        call    not_present
        call    supervisor_rights
        call    user_rights
        call    directory_rights
        call    accessed_and_dirty
        call    large_pages
        call    global_pages
        call    straddling_data
        call    straddling_code
        call    fetches
        call    faults_and_state
        call    read_modify_write
        ret

not_present:
        MAP_TEST(0, 0, 0)
        EXPECT_FAULT(PF, 0, movl TEST_PAGE(0) + 0x123, %eax)
        CHECK_EQ(trap_cr2, $TEST_PAGE(0) + 0x123)
        EXPECT_FAULT(PF, PF_WRITE, movl %eax, TEST_PAGE(0) + 0x124)
        CHECK_EQ(trap_cr2, $TEST_PAGE(0) + 0x124)
        EXPECT_FAULT(PF, 0, movl 0xc0000000, %eax)              // no page table
        CHECK_EQ(trap_cr2, $0xc0000000)
        MAP_TEST(0, 0, P_PRESENT | P_WRITE)
        movl    $0x600df00d, TEST_PAGE(0)
        CHECK_EQ(TEST_PHYSICAL, $0x600df00d)
        // an entry that becomes present needs no INVLPG
        movl    $0, PTE(1)
        EXPECT_FAULT(PF, 0, movl TEST_PAGE(1), %eax)
        movl    $TEST_PHYSICAL | P_PRESENT, PTE(1)
        CHECK_EQ(TEST_PAGE(1), $0x600df00d)
        // one that changes does
        movl    $0xbad, TEST_PHYSICAL + 0x2000
        MAP_TEST(1, 2, P_PRESENT)
        CHECK_EQ(TEST_PAGE(1), $0xbad)
        movl    $TEST_PHYSICAL | P_PRESENT, PTE(1)
        movl    %cr3, %eax
        movl    %eax, %cr3
        CHECK_EQ(TEST_PAGE(1), $0x600df00d)
        MAP_TEST(1, 0, 0)
        EXPECT_FAULT(PF, 0, movl TEST_PAGE(1), %eax)
        ret

supervisor_rights:
        MAP_TEST(0, 0, P_PRESENT)
        movl    TEST_PAGE(0), %eax
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, movl %eax, TEST_PAGE(0))
        MAP_TEST(0, 0, P_PRESENT | P_USER)
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, movl %eax, TEST_PAGE(0))
        movl    %cr0, %ebx
        andl    $~CR0_WP, %ebx
        movl    %ebx, %cr0
        movl    $0x77, TEST_PAGE(0)                             // without WP ring 0 writes anything
        CHECK_EQ(TEST_PHYSICAL, $0x77)
        MAP_TEST(0, 0, P_PRESENT)
        movl    $0x78, TEST_PAGE(0)
        CHECK_EQ(TEST_PHYSICAL, $0x78)
        orl     $CR0_WP, %ebx
        movl    %ebx, %cr0
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, movl %eax, TEST_PAGE(0))
        ret

user_rights:
        MAP_TEST(0, 0, P_PRESENT | P_WRITE)
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER, movl TEST_PAGE(0), %eax)
        CHECK_EQ(trap_cr2, $TEST_PAGE(0))
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER | PF_WRITE, movl %eax, TEST_PAGE(0))
        MAP_TEST(0, 0, 0)
        EXPECT_USER_FAULT(PF, PF_USER, movl TEST_PAGE(0), %eax)
        EXPECT_USER_FAULT(PF, PF_USER | PF_WRITE, movl %eax, TEST_PAGE(0))
        MAP_TEST(0, 0, P_PRESENT | P_USER)
        IN_USER(movl TEST_PAGE(0), %eax)
        CHECK_EQ(%eax, TEST_PHYSICAL)
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER | PF_WRITE, movl %eax, TEST_PAGE(0))
        MAP_TEST(0, 0, P_PRESENT | P_USER | P_WRITE)
        IN_USER(movl $0x4242, TEST_PAGE(0))
        CHECK_EQ(TEST_PHYSICAL, $0x4242)
        // ring 0 uses a page first, then ring 3 must still fault on it
        MAP_TEST(0, 0, P_PRESENT | P_WRITE)
        incl    TEST_PAGE(0)
        SKIP_ON_TCG(1f, "instructions that read and write fault as a read")
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER | PF_WRITE, incl TEST_PAGE(0))
1:      ret

// Rights of directory and table are combined: both must allow it.
directory_rights:
        MAP_TEST(0, 0, P_PRESENT | P_USER | P_WRITE)
        andl    $~P_USER, page_directory + 4 * (TEST_LINEAR >> 22)
        invlpg  TEST_PAGE(0)
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER, movl TEST_PAGE(0), %eax)
        orl     $P_USER, page_directory + 4 * (TEST_LINEAR >> 22)
        andl    $~P_WRITE, page_directory + 4 * (TEST_LINEAR >> 22)
        invlpg  TEST_PAGE(0)
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER | PF_WRITE, movl %eax, TEST_PAGE(0))
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, movl %eax, TEST_PAGE(0))
        orl     $P_WRITE, page_directory + 4 * (TEST_LINEAR >> 22)
        invlpg  TEST_PAGE(0)
        IN_USER(movl %eax, TEST_PAGE(0))
        CHECK_EQ(trap_cs, $CS32_USER)
        ret

#define CHECK_AD(entry, expected) \
        movl    entry, %ebx; \
        andl    $P_ACCESSED | P_DIRTY, %ebx; \
        CHECK_EQ(%ebx, $(expected))
accessed_and_dirty:
        andl    $~(P_ACCESSED | P_DIRTY), page_directory + 4 * (TEST_LINEAR >> 22)
        MAP_TEST(0, 0, P_PRESENT | P_WRITE | P_USER)
        CHECK_AD(PTE(0), 0)
        movl    TEST_PAGE(0), %eax
        CHECK_AD(PTE(0), P_ACCESSED)
        CHECK_AD(page_directory + 4 * (TEST_LINEAR >> 22), P_ACCESSED)
        movl    %eax, TEST_PAGE(0)                              // after a read has filled the TLB
        CHECK_AD(PTE(0), P_ACCESSED | P_DIRTY)
        MAP_TEST(0, 0, P_PRESENT | P_WRITE | P_USER)
        movl    %eax, TEST_PAGE(0)
        CHECK_AD(PTE(0), P_ACCESSED | P_DIRTY)
        andl    $~P_DIRTY, PTE(0)
        invlpg  TEST_PAGE(0)
        IN_USER(incl TEST_PAGE(0))
        CHECK_AD(PTE(0), P_ACCESSED | P_DIRTY)
        MAP_TEST(0, 0, P_PRESENT)
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, movl %eax, TEST_PAGE(0))
        movl    PTE(0), %ebx
        andl    $P_DIRTY, %ebx
        CHECK_EQ(%ebx, $0)                                      // a write that faults is not a write
        MAP_TEST(0, 0, P_PRESENT | P_WRITE)
        movb    $0xc3, TEST_PHYSICAL
        movl    $TEST_PAGE(0), %eax
        call    *%eax                                           // fetching is an access
        CHECK_AD(PTE(0), P_ACCESSED)
        ret

large_pages:
        movl    $TEST_PHYSICAL | P_LARGE | P_PRESENT | P_WRITE, page_directory + 4 * 0x200
        movl    $0x13579, TEST_PHYSICAL + 0x345678
        CHECK_EQ(0x80345678, $0x13579)
        movl    $0x24680, 0x80345678
        CHECK_EQ(TEST_PHYSICAL + 0x345678, $0x24680)
        CHECK_AD(page_directory + 4 * 0x200, P_ACCESSED | P_DIRTY)
        EXPECT_USER_FAULT(PF, PF_PRESENT | PF_USER, movl 0x80000000, %eax)
        movl    $TEST_PHYSICAL | P_LARGE | P_PRESENT, page_directory + 4 * 0x200
        invlpg  0x80111111                                      // any address in the page will do
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, movl %eax, 0x80345678)
        movl    $TEST_PHYSICAL | P_LARGE | P_PRESENT | 0x200000, page_directory + 4 * 0x200
        invlpg  0x80000000
        SKIP_ON_TCG(1f, "the P bit of reserved-bit faults")
        EXPECT_FAULT(PF, PF_PRESENT | PF_RESERVED, movl 0x80000000, %eax)       // bit 21 is reserved
        EXPECT_FAULT(PF, PF_PRESENT | PF_RESERVED | PF_WRITE, movl %eax, 0x80000000)
1:      movl    $0, page_directory + 4 * 0x200
        invlpg  0x80000000
        ret

global_pages:
        movl    %cr4, %eax
        orl     $CR4_PGE, %eax
        movl    %eax, %cr4
        MAP_TEST(3, 3, P_PRESENT | P_WRITE | P_GLOBAL)
        movl    $0x333, TEST_PHYSICAL + 0x3000
        movl    $0x444, TEST_PHYSICAL + 0x4000
        CHECK_EQ(TEST_PAGE(3), $0x333)
        MAP_TEST(3, 4, P_PRESENT | P_WRITE | P_GLOBAL)          // INVLPG takes global entries, too
        CHECK_EQ(TEST_PAGE(3), $0x444)
        movl    $TEST_PHYSICAL + 0x3000 + P_PRESENT + P_GLOBAL, PTE(3)
        movl    %cr4, %eax
        andl    $~CR4_PGE, %eax                                 // so does a change of PGE
        movl    %eax, %cr4
        CHECK_EQ(TEST_PAGE(3), $0x333)
        ret

straddling_data:
        MAP_TEST(4, 4, P_PRESENT | P_WRITE)
        MAP_TEST(5, 9, P_PRESENT | P_WRITE)                     // not neighbours in memory
        movl    $0, TEST_PAGE(4) + 0xffc
        movl    $0, TEST_PAGE(5)
        movl    $0x11223344, TEST_PAGE(4) + 0xffe
        CHECK_EQ(TEST_PHYSICAL + 0x4ffc, $0x33440000)
        CHECK_EQ(TEST_PHYSICAL + 0x9000, $0x1122)
        CHECK_EQ(TEST_PAGE(4) + 0xffe, $0x11223344)
        lock
        incl    TEST_PAGE(4) + 0xffd
        CHECK_EQ(TEST_PHYSICAL + 0x4ffc, $0x33440100)
        MAP_TEST(5, 9, 0)
        EXPECT_FAULT(PF, PF_WRITE, movl $-1, TEST_PAGE(4) + 0xffe)
        CHECK_EQ(trap_cr2, $TEST_PAGE(5))
        CHECK_EQ(TEST_PHYSICAL + 0x4ffc, $0x33440100)           // nothing was written
        EXPECT_FAULT(PF, 0, movl TEST_PAGE(4) + 0xffd, %eax)
        CHECK_EQ(trap_cr2, $TEST_PAGE(5))
        SKIP_ON_TCG(1f, "instructions that read and write fault as a read")
        EXPECT_FAULT(PF, PF_WRITE, incl TEST_PAGE(4) + 0xffd)
1:      MAP_TEST(5, 9, P_PRESENT)
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, movl $-1, TEST_PAGE(4) + 0xffe)
        CHECK_EQ(trap_cr2, $TEST_PAGE(5))
        CHECK_EQ(TEST_PHYSICAL + 0x4ffc, $0x33440100)
        MAP_TEST(4, 4, 0)
        EXPECT_FAULT(PF, PF_WRITE, movl $-1, TEST_PAGE(4) + 0xffe)
        CHECK_EQ(trap_cr2, $TEST_PAGE(4) + 0xffe)
        // a repeated string instruction stops where it is
        MAP_TEST(4, 4, P_PRESENT | P_WRITE)
        MAP_TEST(5, 9, 0)
        movl    $TEST_PAGE(4) + 0xff0, %edi
        movl    $16, %ecx
        movl    $0xabababab, %eax
        EXPECT_FAULT(PF, PF_WRITE, rep stosl)
        CHECK_EQ(%ecx, $12)
        CHECK_EQ(%edi, $TEST_PAGE(5))
        CHECK_EQ(TEST_PHYSICAL + 0x4ffc, $0xabababab)
        // PUSHA that runs out of its page: ESP keeps its value
        MAP_TEST(4, 4, 0)
        MAP_TEST(5, 9, P_PRESENT | P_WRITE | P_USER)
        EXPECT_FAULT_AT_7(PF, PF_WRITE | PF_USER, ENTER_USER(6f, 2); 6: movl $TEST_PAGE(5) + 8, %esp; 7: pushal)
        CHECK_EQ(trap_esp, $TEST_PAGE(5) + 8)
        ret

// One instruction across two pages of memory that are not neighbours.
straddling_code:
        MAP_TEST(6, 6, P_PRESENT | P_WRITE)
        MAP_TEST(7, 11, P_PRESENT | P_WRITE)
        movl    $0x332211b8, TEST_PAGE(6) + 0xffe               // MOV EAX, 44332211h; RET
        movw    $0xc344, TEST_PAGE(7) + 2
        xorl    %eax, %eax
        movl    $TEST_PAGE(6) + 0xffe, %ebx
        call    *%ebx
        CHECK_EQ(%eax, $0x44332211)
        movb    $0x55, TEST_PHYSICAL + 0xb002                   // modified through another address
        call    *%ebx
        CHECK_EQ(%eax, $0x55332211)
        movb    $0x66, TEST_PHYSICAL + 0x6fff                   // and its first half
        call    *%ebx
        CHECK_EQ(%eax, $0x55332266)
        SKIP_ON_BOCHS(2f, "remapping the second page of an instruction")
        MAP_TEST(7, 12, P_PRESENT | P_WRITE)                    // the second half comes from elsewhere now
        movl    $0xc3998877, TEST_PHYSICAL + 0xc000
        call    *%ebx
        CHECK_EQ(%eax, $0x99887766)
        MAP_TEST(7, 12, 0)
        movl    $TEST_PAGE(6) + 0xffe, %ebx
        movl    %esp, resume_esp
        movl    $1f, resume_at
        movl    $TEST_PAGE(6) + 0xffe, expected_eip
        movl    $PF, expected_vector
        movl    $0, expected_error
        call    *%ebx
        CHECK_NOT_REACHED
1:      call    check_trap
        CHECK_EQ(trap_cr2, $TEST_PAGE(7))
2:      MAP_TEST(7, 11, P_PRESENT | P_WRITE)
        ret

// Without NX and SMEP the error code does not tell fetches from reads.
fetches:
        MAP_TEST(8, 8, P_PRESENT)
        movb    $0xf4, TEST_PHYSICAL + 0x8000
        movl    %esp, resume_esp
        movl    $1f, resume_at
        movl    $TEST_PAGE(8), expected_eip
        movl    $PF, expected_vector
        movl    $PF_PRESENT | PF_USER, expected_error
        ENTER_USER(TEST_PAGE(8), 2)
1:      call    check_trap
        CHECK_EQ(trap_cr2, $TEST_PAGE(8))
        MAP_TEST(8, 8, 0)
        movl    %esp, resume_esp
        movl    $1f, resume_at
        movl    $PF_USER, expected_error
        ENTER_USER(TEST_PAGE(8), 2)
1:      call    check_trap
        movl    %esp, resume_esp
        movl    $1f, resume_at
        movl    $0, expected_error
        movl    $TEST_PAGE(8), %eax
        jmp     *%eax
1:      call    check_trap
        ret

// A fault leaves everything as it was.
faults_and_state:
        MAP_TEST(9, 9, 0)
        movl    $0x12345678, %eax
        movl    $TEST_PAGE(9), %ebx
        stc
        SKIP_ON_TCG(1f, "instructions that read and write fault as a read")
        EXPECT_FAULT(PF, PF_WRITE, xchgl %eax, (%ebx))
        CHECK_EQ(%eax, $0x12345678)
        EXPECT_FAULT(PF, PF_WRITE, cmpxchgl %ecx, (%ebx))
        EXPECT_FAULT(PF, PF_WRITE, xaddl %eax, (%ebx))
        CHECK_EQ(%eax, $0x12345678)
1:      MAP_TEST(9, 9, P_PRESENT)
        movl    $0xffff, TEST_PHYSICAL + 0x9000
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, lock; cmpxchgl %ecx, (%ebx))    // writes even when it compares unequal
        CHECK_EQ(%eax, $0x12345678)
        movl    %esp, %esi
        EXPECT_FAULT(PF, PF_PRESENT | PF_WRITE, popl (%ebx))
        CHECK_EQ(%esp, %esi)
        MAP_TEST(9, 9, 0)
        EXPECT_FAULT(PF, 0, pushl (%ebx))
        CHECK_EQ(%esp, %esi)
        EXPECT_FAULT(PF, 0, call *(%ebx))
        CHECK_EQ(%esp, %esi)
        movl    $TEST_PAGE(9), %esi
        movl    $TEST_PAGE(0), %edi
        MAP_TEST(0, 0, P_PRESENT | P_WRITE)
        EXPECT_FAULT(PF, 0, movsl)
        CHECK_EQ(%esi, $TEST_PAGE(9))
        CHECK_EQ(%edi, $TEST_PAGE(0))
        EXPECT_FAULT(PF, 0, lgdt (%ebx))
        EXPECT_FAULT(PF, 0, lldt (%ebx))
        EXPECT_FAULT(PF, 0, fldenv (%ebx))
        invlpg  (%ebx)                                          // never faults
        prefetcht0 (%ebx)
        leal    (%ebx), %ecx
        nopl    (%ebx)
        ret

// An instruction that reads and writes faults as a write, before it reads.
read_modify_write:
        MAP_TEST(9, 9, 0)
        SKIP_ON_TCG(1f, "instructions that read and write fault as a read")
        EXPECT_FAULT(PF, PF_WRITE, addl $1, TEST_PAGE(9))
        EXPECT_FAULT(PF, PF_WRITE, shll $3, TEST_PAGE(9))
        EXPECT_FAULT(PF, PF_WRITE, btsl $5, TEST_PAGE(9))
        EXPECT_FAULT(PF, PF_WRITE, notl TEST_PAGE(9))
1:      EXPECT_FAULT(PF, 0, cmpl $1, TEST_PAGE(9))
        EXPECT_FAULT(PF, 0, btl $5, TEST_PAGE(9))
        EXPECT_FAULT(PF, 0, testl $1, TEST_PAGE(9))
        ret

// SPDX-License-Identifier: Apache-2.0
// Four-level paging: page sizes, NX, user and supervisor, SMEP, SMAP, PCID, reserved bits, canonical addresses.
#define NAME "paging64"
#include "lib/guest.h"
#include "lib/long.h"

        .code32
main:   jmp     enter_long_mode

        .code64
main64: call    cpu_features
        call    page_sizes
        call    no_execute
        call    rights_of_all_levels
        call    reserved_bits
        call    canonical
        call    accessed_and_dirty
        call    smep
        call    smap
        call    pcid
        ret

cpu_features:
        movl    $7, %eax
        xorl    %ecx, %ecx
        cpuid
        movl    %ebx, features7
        movl    $1, %eax
        cpuid
        movl    %ecx, features1
        movl    $0x80000001, %eax
        cpuid
        movl    %edx, features_extended
        ret

page_sizes:
        movq    $0x11111111, TEST_PHYSICAL + 0x3456
        movq    $0x22222222, TEST_PHYSICAL + 0x123456
        MAP_TEST(0, 3, P_PRESENT | P_WRITE, 0)
        CHECK_EQ64(TEST_PAGE(0) + 0x456, $0x11111111)
        movl    $TEST_PHYSICAL | P_LARGE | P_PRESENT | P_WRITE, test_directory + 8      // 2 MiB at 0x40200000
        CHECK_EQ64(0x40323456, $0x22222222)
        movq    $0x33333333, 0x40323456
        CHECK_EQ64(TEST_PHYSICAL + 0x123456, $0x33333333)
        testl   $1 << 26, features_extended
        jz      1f
        movl    $P_LARGE | P_PRESENT | P_WRITE, page_directory_pointers + 8 * 5         // 1 GiB at 5 GiB
        movabsq $0x140000000 + TEST_PHYSICAL + 0x123456, %rbx
        CHECK_EQ64((%rbx), $0x33333333)
        movq    $0x44444444, (%rbx)
        CHECK_EQ64(TEST_PHYSICAL + 0x123456, $0x44444444)
        movl    $0, page_directory_pointers + 8 * 5
        invlpg  (%rbx)
        EXPECT_FAULT64(PF, 0, movq (%rbx), %rax)
        CHECK_EQ64(trap_cr2_64, %rbx)
1:      movabsq $0xffffffffc0000000, %rbx                                               // the upper half
        movq    page_directory_pointers + 8, %rax
        movq    %rax, high_pointers + 8 * 511
        movl    $high_pointers + (P_PRESENT | P_WRITE), page_map + 8 * 511
        CHECK_EQ64(0x456(%rbx), $0x11111111)
        CHECK_EQ64(0x323456(%rbx), TEST_PHYSICAL + 0x123456)
        // a 4 KiB page replaces a 2 MiB page
        movl    $test_table + (P_PRESENT | P_WRITE), test_directory + 8
        invlpg  0x40323456
        MAP_TEST(0x123, 3, P_PRESENT | P_WRITE, 0)
        invlpg  0x40323456
        CHECK_EQ64(0x40323456, $0x11111111)
        movl    $0, test_directory + 8
        invlpg  0x40323456
        EXPECT_FAULT64(PF, 0, movq 0x40323456, %rax)
        ret

no_execute:
        movb    $0xc3, TEST_PHYSICAL
        MAP_TEST(0, 0, P_PRESENT | P_WRITE, 0)
        movl    $TEST_PAGE(0), %eax
        call    *%rax
        MAP_TEST(0, 0, P_PRESENT | P_WRITE, P_NX_HIGH)
        movb    TEST_PAGE(0), %cl
        movb    %cl, TEST_PAGE(0)
        EXPECT_FAULT64_SOMEWHERE(PF, PF_PRESENT | PF_FETCH, TEST_PAGE(0), jmp *%rax)
        CHECK_EQ64(trap_cr2_64, $TEST_PAGE(0))
        MAP_TEST(0, 0, 0, 0)
        EXPECT_FAULT64_SOMEWHERE(PF, PF_FETCH, TEST_PAGE(0), jmp *%rax)
        MAP_TEST(0, 0, P_PRESENT, 0)
        movl    $P_NX_HIGH, test_directory + 4          // NX at any level counts
        invlpg  TEST_PAGE(0)
        EXPECT_FAULT64_SOMEWHERE(PF, PF_PRESENT | PF_FETCH, TEST_PAGE(0), jmp *%rax)
        movl    $0, test_directory + 4
        movl    $P_NX_HIGH, page_directory_pointers + 12
        invlpg  TEST_PAGE(0)
        EXPECT_FAULT64_SOMEWHERE(PF, PF_PRESENT | PF_FETCH, TEST_PAGE(0), jmp *%rax)
        movl    $0, page_directory_pointers + 12
        invlpg  TEST_PAGE(0)
        call    *%rax
        // an instruction whose second half lies in a page without execution
        MAP_TEST(1, 1, P_PRESENT | P_WRITE, P_NX_HIGH)
        movw    $0x00b8, TEST_PHYSICAL + 0xffe
        movl    $TEST_PAGE(0) + 0xffe, %eax
        EXPECT_FAULT64_SOMEWHERE(PF, PF_PRESENT | PF_FETCH, TEST_PAGE(0) + 0xffe, jmp *%rax)
        CHECK_EQ64(trap_cr2_64, $TEST_PAGE(1))
        // without EFER.NXE bit 63 is reserved
        SKIP_ON_TCG64(1f, "reserved bits: P of the error code")
        movl    $MSR_EFER, %ecx
        rdmsr
        andl    $~EFER_NXE, %eax
        wrmsr
        movq    %cr3, %rax
        movq    %rax, %cr3
        EXPECT_FAULT64(PF, PF_PRESENT | PF_RESERVED, movb TEST_PAGE(1), %al)
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_NXE, %eax
        wrmsr
        movb    TEST_PAGE(1), %al
1:      ret

rights_of_all_levels:
        MAP_TEST(0, 0, P_PRESENT | P_WRITE | P_USER, 0)
        movl    $0, TEST_PHYSICAL
        .irp    entry, page_directory_pointers + 8, test_directory
        andl    $~P_WRITE, \entry
        invlpg  TEST_PAGE(0)
        movl    TEST_PAGE(0), %eax
        EXPECT_FAULT64(PF, PF_PRESENT | PF_WRITE, movl %eax, TEST_PAGE(0))
        orl     $P_WRITE, \entry
        invlpg  TEST_PAGE(0)
        movl    %eax, TEST_PAGE(0)
        .endr
        movl    $0, test_directory
        invlpg  TEST_PAGE(0)
        EXPECT_FAULT64(PF, 0, movl TEST_PAGE(0), %eax)
        movl    $test_table + (P_PRESENT | P_WRITE | P_USER), test_directory
        // user code: what runs there was copied into a page of its own
        MAP_TEST(2, 2, P_PRESENT | P_WRITE | P_USER, 0)
        MAP_TEST(3, 3, P_PRESENT | P_WRITE, 0)
        MAP_TEST(4, 4, P_PRESENT | P_USER, 0)
        movl    $0x018b, TEST_PHYSICAL + 0x2000                 // MOV EAX, [RCX]
        movl    $TEST_PAGE(3), %ecx
        movl    $PF_PRESENT | PF_USER, %edx
        call    expect_user_page_fault
        movl    $0x0189, TEST_PHYSICAL + 0x2000                 // MOV [RCX], EAX
        movl    $PF_PRESENT | PF_USER | PF_WRITE, %edx
        call    expect_user_page_fault
        movl    $TEST_PAGE(4), %ecx
        call    expect_user_page_fault
        movl    $TEST_PAGE(9), %ecx
        movl    $0, PTE(9)
        movl    $PF_USER | PF_WRITE, %edx
        call    expect_user_page_fault
        ret

// Runs the code at TEST_PAGE(2) in ring 3; it must fault at once with error code EDX and CR2 = RCX.
expect_user_page_fault:
        movq    %rsp, resume_rsp
        movq    $1f, resume_at64
        movq    $TEST_PAGE(2), expected_rip
        movl    $PF, expected_vector
        movl    %edx, expected_error
        ENTER_USER64(TEST_PAGE(2), 2)
1:      call    check_trap64
        CHECK_EQ64(trap_cr2_64, %rcx)
        ret

reserved_bits:
        SKIP_ON_TCG64(1f, "reserved bits: P of the error code")
        MAP_TEST(0, 0, P_PRESENT | P_WRITE, 0x00080000)         // bit 51: beyond MAXPHYADDR
        EXPECT_FAULT64(PF, PF_PRESENT | PF_RESERVED, movl TEST_PAGE(0), %eax)
        EXPECT_FAULT64(PF, PF_PRESENT | PF_RESERVED | PF_WRITE, movl %eax, TEST_PAGE(0))
        MAP_TEST(0, 0, P_PRESENT | P_WRITE, 0x7ff00000)         // bits 52-62 are ignored
        movl    TEST_PAGE(0), %eax
        MAP_TEST(0, 0, P_WRITE, 0x00080000)                     // not present: nothing is reserved
        EXPECT_FAULT64(PF, 0, movl TEST_PAGE(0), %eax)
        movl    $TEST_PHYSICAL | P_LARGE | P_PRESENT | 0x2000, test_directory + 8       // bit 13 of a 2 MiB page
        EXPECT_FAULT64(PF, PF_PRESENT | PF_RESERVED, movl 0x40200000, %eax)
        movl    $0, test_directory + 8
        movl    $P_PRESENT | P_LARGE | P_WRITE, page_map + 8    // no large pages at the top
        movabsq $0x8000000000, %rbx
        EXPECT_FAULT64(PF, PF_PRESENT | PF_RESERVED, movl (%rbx), %eax)
        movl    $0, page_map + 8
        movl    $P_LARGE | P_PRESENT | P_WRITE | 0x200000, page_directory_pointers + 8 * 5
        movabsq $0x140000000, %rbx
        EXPECT_FAULT64(PF, PF_PRESENT | PF_RESERVED, movl (%rbx), %eax)
        movl    $0, page_directory_pointers + 8 * 5
1:      ret

canonical:
        SKIP_ON_TCG64(2f, "addresses that are not canonical: where, #SS, WRMSR")
        movabsq $0x0000800000000000, %rbx
        EXPECT_FAULT64(GP, 0, movl (%rbx), %eax)
        EXPECT_FAULT64(GP, 0, movl %eax, (%rbx))
        EXPECT_FAULT64(GP, 0, jmp *%rbx)
        EXPECT_FAULT64(GP, 0, call *%rbx)
        EXPECT_FAULT64_AT_7(GP, 0, pushq %rbx; 7: ret)
        movq    %rbx, %rbp
        EXPECT_FAULT64(SS, 0, movl (%rbp), %eax)
        EXPECT_FAULT64(SS, 0, movl (%rsp, %rbx), %eax)
        EXPECT_FAULT64(GP, 0, movl (%rbx, %rbp), %eax)
        movabsq $0x00007fffffffffff, %rbx
        EXPECT_FAULT64(PF, 0, movb (%rbx), %al)
        EXPECT_FAULT64(GP, 0, movw (%rbx), %ax)
        movabsq $0xffff800000000000, %rbx
        EXPECT_FAULT64(PF, 0, movb (%rbx), %al)
        EXPECT_FAULT64(GP, 0, movb -1(%rbx), %al)
        movl    $0xc0000100, %ecx                               // FS base must be canonical
        xorl    %eax, %eax
        movl    $0x00008000, %edx
        EXPECT_FAULT64(GP, 0, wrmsr)
        movl    $0xc0000082, %ecx                               // LSTAR
        EXPECT_FAULT64(GP, 0, wrmsr)
        movabsq $0x0000800000000000, %rbx
        invlpg  (%rbx)                                          // ignored
2:      ret

#define CHECK_AD(entry, expected) \
        movl    entry, %ebx; \
        andl    $P_ACCESSED | P_DIRTY, %ebx; \
        CHECK_EQ64(%rbx, $(expected))
accessed_and_dirty:
        MAP_TEST(0, 0, P_PRESENT | P_WRITE, 0)
        .irp    entry, page_map, page_directory_pointers + 8, test_directory
        andl    $~P_ACCESSED, \entry
        .endr
        movq    %cr3, %rax
        movq    %rax, %cr3
        movb    TEST_PAGE(0), %al
        CHECK_AD(page_map, P_ACCESSED)
        CHECK_AD(page_directory_pointers + 8, P_ACCESSED)
        CHECK_AD(test_directory, P_ACCESSED)
        CHECK_AD(PTE(0), P_ACCESSED)
        movb    %al, TEST_PAGE(0)
        CHECK_AD(PTE(0), P_ACCESSED | P_DIRTY)
        movl    $TEST_PHYSICAL | P_LARGE | P_PRESENT | P_WRITE, test_directory + 8
        movb    0x40200000, %al
        CHECK_AD(test_directory + 8, P_ACCESSED)
        movb    %al, 0x40200000
        CHECK_AD(test_directory + 8, P_ACCESSED | P_DIRTY)
        movl    $0, test_directory + 8
        invlpg  0x40200000
        ret

smep:   testl   $1 << 7, features7
        jnz     1f
        PRINT64("no SMEP here\n")
        ret
1:      movb    $0xc3, TEST_PHYSICAL
        MAP_TEST(0, 0, P_PRESENT | P_WRITE | P_USER, 0)
        movl    $TEST_PAGE(0), %eax
        call    *%rax
        movq    %cr4, %rbx
        orq     $CR4_SMEP, %rbx
        movq    %rbx, %cr4
        EXPECT_FAULT64_SOMEWHERE(PF, PF_PRESENT | PF_FETCH, TEST_PAGE(0), jmp *%rax)
        movb    TEST_PAGE(0), %cl                               // data is not concerned
        MAP_TEST(0, 0, P_PRESENT | P_WRITE, 0)
        call    *%rax
        andq    $~CR4_SMEP, %rbx
        movq    %rbx, %cr4
        ret

smap:   testl   $1 << 20, features7
        jnz     1f
        PRINT64("no SMAP here\n")
        ret
1:      MAP_TEST(0, 0, P_PRESENT | P_WRITE | P_USER, 0)
        MAP_TEST(1, 1, P_PRESENT | P_WRITE, 0)
        movq    %cr4, %rbx
        EXPECT_FAULT64_AT_7(PF, PF_PRESENT, orq $CR4_SMAP, %rbx; movq %rbx, %cr4; 7: movl TEST_PAGE(0), %eax)
        EXPECT_FAULT64(PF, PF_PRESENT | PF_WRITE, movl %eax, TEST_PAGE(0))
        EXPECT_FAULT64(PF, PF_PRESENT, pushq TEST_PAGE(0))
        movl    TEST_PAGE(1), %eax
        stac
        movl    TEST_PAGE(0), %eax
        movl    %eax, TEST_PAGE(0)
        clac
        EXPECT_FAULT64(PF, PF_PRESENT, movl TEST_PAGE(0), %eax)
        pushfq
        popq    %rax
        andl    $EFLAGS_AC, %eax
        CHECK_EQ64(%rax, $0)
        // without WP the rule stays
        movq    %cr0, %rcx
        andq    $~CR0_WP, %rcx
        movq    %rcx, %cr0
        EXPECT_FAULT64(PF, PF_PRESENT | PF_WRITE, movl %eax, TEST_PAGE(0))
        orq     $CR0_WP, %rcx
        movq    %rcx, %cr0
        andq    $~CR4_SMAP, %rbx
        movq    %rbx, %cr4
        movl    TEST_PAGE(0), %eax
        ret

pcid:   testl   $1 << 17, features1
        jnz     1f
        PRINT64("no PCID here\n")
        ret
1:      movq    %cr4, %rbx
        orq     $CR4_PCIDE, %rbx
        movq    %cr3, %rcx
        orq     $5, %rcx
        movq    %rcx, %cr3
        EXPECT_FAULT64(GP, 0, movq %rbx, %cr4)                  // only with PCID 0
        andq    $~0xfff, %rcx
        movq    %rcx, %cr3
        movq    %rbx, %cr4
        // two address spaces: the second maps test page 0 elsewhere
        MAP_TEST(0, 0, P_PRESENT | P_WRITE, 0)
        movl    $0xaaaa, TEST_PHYSICAL
        movl    $0xbbbb, TEST_PHYSICAL + 0x1000
        orq     $1, %rcx
        movq    %rcx, %cr3
        movl    TEST_PAGE(0), %eax
        CHECK_EQ64(%rax, $0xaaaa)
        movl    $TEST_PHYSICAL + 0x1000 + (P_PRESENT | P_WRITE), PTE(0)
        xorq    $3, %rcx                                        // PCID 2 has not seen the page yet
        movq    %rcx, %cr3
        movl    TEST_PAGE(0), %eax
        CHECK_EQ64(%rax, $0xbbbb)
        xorq    $3, %rcx                                        // a plain load of CR3 flushes PCID 1
        movq    %rcx, %cr3
        movl    TEST_PAGE(0), %eax
        CHECK_EQ64(%rax, $0xbbbb)
        movq    %rcx, %rax
        btsq    $63, %rax                                       // a load without flush
        movq    %rax, %cr3
        movq    %cr3, %rax
        CHECK_EQ64(%rax, %rcx)                                  // bit 63 does not stay
        movl    TEST_PAGE(0), %eax
        CHECK_EQ64(%rax, $0xbbbb)
        testl   $1 << 10, features7
        jz      2f
        movl    $TEST_PHYSICAL + (P_PRESENT | P_WRITE), PTE(0)
        movq    $1, invpcid_descriptor
        movq    $TEST_PAGE(0), invpcid_descriptor + 8
        xorl    %eax, %eax                                      // one address of one PCID
        invpcid invpcid_descriptor, %rax
        movl    TEST_PAGE(0), %eax
        CHECK_EQ64(%rax, $0xaaaa)
        movl    $TEST_PHYSICAL + 0x1000 + (P_PRESENT | P_WRITE), PTE(0)
        movl    $2, %eax                                        // everything
        invpcid invpcid_descriptor, %rax
        movl    TEST_PAGE(0), %eax
        CHECK_EQ64(%rax, $0xbbbb)
        movl    $4, %eax
        EXPECT_FAULT64(GP, 0, invpcid invpcid_descriptor, %rax)
2:      andq    $~0xfff, %rcx
        movq    %rcx, %cr3
        andq    $~CR4_PCIDE, %rbx
        movq    %rbx, %cr4
        ret

        .data
        .align  16
invpcid_descriptor:     .quad 0, 0
features1:              .long 0
features7:              .long 0
features_extended:      .long 0
        .bss
        .align  4096
high_pointers:          .skip 4096
        .text

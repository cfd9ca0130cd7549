// SPDX-License-Identifier: Apache-2.0
// The table text, as zero-terminated strings.
        .macro  table name
        .globl  table_\name
table_\name:
        .incbin "tables/\name\().tbl"
        .byte   0
        .endm
        .section .rodata
        table   int
        table   string
        table   branch
        table   bits
        table   sse
        table   crypto
        table   x87
        table   avx
        table   raw
        .section .note.GNU-stack, "", @progbits

// SPDX-License-Identifier: Apache-2.0
// Ends in a shutdown: an exception whose handler cannot be called, and no handler for the double fault either. Success
// is that the machine resets or stops; reaching the end is failure.
#define NAME "triple-fault"
#include "lib/guest.h"

main:   PRINT("SHUTDOWN triple-fault\n")
        movl    $COM1_LINE_STATUS, %edx
        call    drain_serial
        lidt    empty_idt
        int3
        CHECK_NOT_REACHED
        ret

        .data
empty_idt:
        .word   0
        .long   0
        .text

// SPDX-License-Identifier: Apache-2.0

/**
 * How a host runs a program in a guest of ours. One session is one connection to the agent's port, and one more for each
 * stream of the program; on those there is nothing but its bytes.
 * ```
 * host -> agent   request header, then `blobLength` bytes: table of offsets, strings
 * agent -> host   16 bytes: the socket address (AF_VSOCK) at which the agent now waits for the streams
 * host            connects there: standard input, output and error; with a terminal input and output only
 * host -> agent   messages of 8 bytes, at any time: signals, sizes of the terminal; its end is a hang-up
 * agent -> host   8 bytes when the program has ended: the magic number, its status as wait(2) gives it
 * ```
 * All numbers are little-endian. The offsets, of 64 bits each, are counted from the start of the blob: those of the
 * arguments, 0, those of the environment, 0. The strings end with a zero byte.
 */

/** Only root may listen there (`VMADDR` ports below 1024), so that no user of the guest can pose as the agent. */
export const EXEC_PORT = 1021;
export const EXEC_MAGIC = 0x314f_5349;

/** Offsets in the request header. */
export const enum Request {
  Magic = 0,
  /** 1 for a terminal, else 0. */
  Terminal = 4,
  BlobLength = 8,
  /** 64-bit words in the table, and the index of the first one of the environment. */
  TableWords = 12,
  EnvironmentIndex = 16,
  Uid = 20,
  Gid = 24,
  GroupCount = 28,
  /** `struct winsize` (ioctl_tty(2)): rows, columns, and two fields of zero, 16 bits each. */
  WindowSize = 32,
  Groups = 40,
  Length = 40 + 4 * 32,
}

export const MAX_GROUPS = 32;
/** The kernel takes as much for arguments and environment on any stack limit (execve(2)). */
export const MAX_BLOB = 128 << 10;
export const ADDRESS_LENGTH = 16;
/** Offset of the port in a socket address of AF_VSOCK (vsock(7)). */
export const ADDRESS_PORT = 4;

export const enum Message {
  Signal = 1,
  /** Rows in the low half of the value, columns in the high one. */
  WindowSize = 2,
}
export const MESSAGE_LENGTH = 8;

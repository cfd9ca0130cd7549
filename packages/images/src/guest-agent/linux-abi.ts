// SPDX-License-Identifier: Apache-2.0
/** Numbers of Linux's interface on x86-64 (`asm/unistd_64.h` and the headers of each call's manual page). */

export const enum Sys {
  Read = 0,
  Write = 1,
  Open = 2,
  Close = 3,
  Poll = 7,
  SigAction = 13,
  SigProcMask = 14,
  Ioctl = 16,
  Dup2 = 33,
  Nanosleep = 35,
  Socket = 41,
  RecvFrom = 45,
  Bind = 49,
  Listen = 50,
  GetSockName = 51,
  Fork = 57,
  Execve = 59,
  Exit = 60,
  Wait4 = 61,
  Kill = 62,
  SetUid = 105,
  SetGid = 106,
  SetSid = 112,
  SetGroups = 116,
  Accept4 = 288,
  Pipe2 = 293,
  PidfdOpen = 434,
}

export const AF_VSOCK = 40;
export const SOCK_STREAM = 1;
export const SOCK_CLOEXEC = 0o2000000;
export const O_RDWR = 2;
export const O_NOCTTY = 0o400;
export const O_CLOEXEC = 0o2000000;
export const MSG_WAITALL = 0x100;
export const POLLIN = 1;
export const WNOHANG = 1;
export const SIGHUP = 1;
export const SIG_SETMASK = 2;

/** Requests to terminals (ioctl_tty(2)). */
export const TIOCSCTTY = 0x540e;
export const TIOCSWINSZ = 0x5414;
export const TIOCSPTLCK = 0x4004_5431;
export const TIOCGPTPEER = 0x5441;

export const VMADDR_CID_ANY = 0xffff_ffff;
export const VMADDR_CID_HOST = 2;
export const VMADDR_PORT_ANY = 0xffff_ffff;

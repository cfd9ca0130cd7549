// SPDX-License-Identifier: Apache-2.0
// Workloads that live in the guest's kernel: system calls, processes, page faults, files.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "workloads.h"

static uint64_t syscalls(uint64_t rounds) {
  uint64_t sum = 0;
  while (rounds--) sum += syscall(SYS_getppid);
  return sum != 0;
}

static uint64_t forks(uint64_t rounds) {
  uint64_t sum = 0;
  while (rounds--) {
    pid_t child = fork();
    if (child == 0) _exit(7);
    int status = 0;
    waitpid(child, &status, 0);
    sum += WEXITSTATUS(status);
  }
  return sum;
}

static uint64_t page_faults(uint64_t rounds) {
  enum { LENGTH = 4 << 20 };
  uint64_t sum = 0;
  while (rounds--) {
    uint8_t *bytes = mmap(0, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(bytes, LENGTH, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < LENGTH; i += 4096) bytes[i] = 1, sum++;
    munmap(bytes, LENGTH);
  }
  return sum;
}

/// Two processes and two pipes: a context switch each way.
static uint64_t ping_pong(uint64_t rounds) {
  int to[2], from[2];
  if (pipe(to) || pipe(from)) return 0;
  pid_t child = fork();
  char byte = 0;
  if (child == 0) {
    close(to[1]);
    while (read(to[0], &byte, 1) == 1)
      if (write(from[1], &byte, 1) != 1) _exit(1);
    _exit(0);
  }
  uint64_t sum = 0;
  while (rounds--) {
    if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1) break;
    sum++;
  }
  close(to[0]), close(to[1]), close(from[0]), close(from[1]);
  waitpid(child, 0, 0);
  return sum;
}

static uint64_t files(uint64_t rounds) {
  static char block[4096];
  uint64_t sum = 0;
  while (rounds--) {
    int file = open("/tmp/bench-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0) return 0;
    for (int i = 0; i < 64; i++) sum += write(file, block, sizeof block);
    lseek(file, 0, SEEK_SET);
    while (read(file, block, sizeof block) > 0) sum++;
    close(file);
    unlink("/tmp/bench-file");
  }
  return sum;
}

const struct workload kernel_workloads[] = {
  {"syscall", 1000000, syscalls},
  {"fork", 500, forks},
  {"page-fault", 60, page_faults},
  {"ping-pong", 8000, ping_pong},
  {"file", 200, files},
  {0},
};

// SPDX-License-Identifier: Apache-2.0
// Reads and writes of the guest's disks past its page cache. Each block of 4 KiB begins with a stamp that tells which
// block it is and which write it comes from; checksums are over the stamps.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "io.h"

enum { BLOCK = 4096, LARGE = 1 << 20, MAX_DEPTH = 16 };
/// Sequential work and random reads keep to the first part of a disk, random writes to the second.
static const uint64_t AREA = 128 << 20;

static uint64_t stamp(uint64_t block, uint64_t generation) {
  return (block + 1) * 0x9e3779b97f4a7c15 + generation;
}

static uint64_t mix(uint64_t sum, uint64_t block, uint64_t found) {
  return sum + (found ^ (block * 0xff51afd7ed558ccd));
}

/// The next random block of an area.
static uint64_t next(uint64_t *random) {
  *random = *random * 6364136223846793005 + 1442695040888963407;
  return (*random >> 33) % (AREA / BLOCK);
}

struct disk {
  const struct io_work *work;
  int file;
  uint8_t *buffers;
};

static void move(const struct disk *disk, int writes, uint8_t *buffer, uint64_t length, uint64_t offset) {
  ssize_t moved =
    writes ? pwrite(disk->file, buffer, length, offset) : pread(disk->file, buffer, length, offset);
  if (moved != (ssize_t)length) fail(disk->work, writes ? "write" : "read");
}

static void stamp_all(uint8_t *buffer, uint64_t length, uint64_t offset, uint64_t generation) {
  for (uint64_t at = 0; at < length; at += BLOCK)
    *(uint64_t *)(buffer + at) = stamp((offset + at) / BLOCK, generation);
}

static uint64_t sum_all(uint64_t sum, const uint8_t *buffer, uint64_t length, uint64_t offset) {
  for (uint64_t at = 0; at < length; at += BLOCK) sum = mix(sum, (offset + at) / BLOCK, *(uint64_t *)(buffer + at));
  return sum;
}

static struct disk open_disk(const struct io_work *work) {
  const char *path = strstr(work->name, "-qcow2-") ? "/dev/vdb" : "/dev/vda";
  struct disk disk = {work, open(path, O_RDWR | O_DIRECT), 0};
  if (disk.file < 0) fail(work, path);
  if (posix_memalign((void **)&disk.buffers, BLOCK, LARGE)) fail(work, "memory");
  memset(disk.buffers, 0x5a, LARGE);
  return disk;
}

static void close_disk(struct disk *disk) {
  free(disk->buffers);
  close(disk->file);
}

static void fill(const struct disk *disk, uint64_t from) {
  for (uint64_t at = from; at < from + AREA; at += LARGE) {
    stamp_all(disk->buffers, LARGE, at, 0);
    move(disk, 1, disk->buffers, LARGE, at);
  }
}

/// Makes sure that a part of the disk has been written before.
static void need(const struct disk *disk, uint64_t from) {
  move(disk, 0, disk->buffers, BLOCK, from);
  if (*(uint64_t *)disk->buffers == 0) fill(disk, from);
}

/// What the disk holds from `from` on.
static uint64_t contents(const struct disk *disk, uint64_t from) {
  uint64_t sum = 0;
  for (uint64_t at = from; at < from + AREA; at += LARGE) {
    move(disk, 0, disk->buffers, LARGE, at);
    sum = sum_all(sum, disk->buffers, LARGE, at);
  }
  return sum;
}

static uint64_t sequential_write(const struct io_work *work, uint64_t amount) {
  struct disk disk = open_disk(work);
  begin(work, amount);
  for (uint64_t i = 0; i < amount; i++) {
    uint64_t at = i * LARGE % AREA;
    stamp_all(disk.buffers, LARGE, at, 0);
    move(&disk, 1, disk.buffers, LARGE, at);
  }
  end(work);
  uint64_t sum = contents(&disk, 0);
  close_disk(&disk);
  return sum;
}

static uint64_t sequential_read(const struct io_work *work, uint64_t amount) {
  struct disk disk = open_disk(work);
  need(&disk, 0);
  uint64_t sum = 0;
  begin(work, amount);
  for (uint64_t i = 0; i < amount; i++) {
    uint64_t at = i * LARGE % AREA;
    move(&disk, 0, disk.buffers, LARGE, at);
    sum = sum_all(sum, disk.buffers, LARGE, at);
  }
  end(work);
  close_disk(&disk);
  return sum;
}

static uint64_t random_one(const struct io_work *work, uint64_t amount, int writes) {
  struct disk disk = open_disk(work);
  uint64_t base = writes ? AREA : 0, random = 1, sum = 0;
  need(&disk, base);
  begin(work, amount);
  while (amount--) {
    uint64_t at = base + next(&random) * BLOCK;
    if (writes) stamp_all(disk.buffers, BLOCK, at, amount);
    move(&disk, writes, disk.buffers, BLOCK, at);
    if (!writes) sum = sum_all(sum, disk.buffers, BLOCK, at);
  }
  end(work);
  if (writes) sum = contents(&disk, base);
  close_disk(&disk);
  return sum;
}

static uint64_t random_read(const struct io_work *work, uint64_t amount) {
  return random_one(work, amount, 0);
}

static uint64_t random_write(const struct io_work *work, uint64_t amount) {
  return random_one(work, amount, 1);
}

/// The same with several requests under way, by the kernel's asynchronous I/O.
static uint64_t random_many(const struct io_work *work, uint64_t amount, int writes) {
  struct disk disk = open_disk(work);
  uint64_t base = writes ? AREA : 0, random = 7, sum = 0, started = 0, done = 0;
  need(&disk, base);
  aio_context_t context = 0;
  if (syscall(SYS_io_setup, MAX_DEPTH, &context)) fail(work, "io_setup");
  struct iocb requests[MAX_DEPTH], *ready[MAX_DEPTH];
  struct io_event events[MAX_DEPTH];
  int count = 0;
  for (int i = 0; i < MAX_DEPTH; i++) ready[count++] = &requests[i];
  begin(work, amount);
  while (done < amount) {
    int prepared = 0;
    for (; prepared < count && started < amount; prepared++, started++) {
      uint64_t slot = ready[prepared] - requests;
      uint8_t *buffer = disk.buffers + slot * BLOCK;
      uint64_t at = base + next(&random) * BLOCK;
      // The same for all writes of a block, of which two may be under way.
      if (writes) stamp_all(buffer, BLOCK, at, 1);
      *ready[prepared] = (struct iocb){
        .aio_data = slot,
        .aio_lio_opcode = writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
        .aio_fildes = disk.file,
        .aio_buf = (uint64_t)buffer,
        .aio_nbytes = BLOCK,
        .aio_offset = at,
      };
    }
    for (int given = 0; given < prepared;) {
      int taken = syscall(SYS_io_submit, context, prepared - given, ready + given);
      if (taken <= 0) fail(work, "io_submit");
      given += taken;
    }
    int finished = syscall(SYS_io_getevents, context, 1, MAX_DEPTH, events, 0);
    if (finished <= 0) fail(work, "io_getevents");
    count = 0;
    for (int i = 0; i < finished; i++, done++) {
      struct iocb *request = &requests[events[i].data];
      if (events[i].res != BLOCK) errno = -events[i].res, fail(work, "request");
      if (!writes) sum = sum_all(sum, (uint8_t *)request->aio_buf, BLOCK, request->aio_offset);
      ready[count++] = request;
    }
  }
  end(work);
  syscall(SYS_io_destroy, context);
  if (writes) sum = contents(&disk, base);
  close_disk(&disk);
  return sum;
}

static uint64_t random_read_16(const struct io_work *work, uint64_t amount) {
  return random_many(work, amount, 0);
}

static uint64_t random_write_16(const struct io_work *work, uint64_t amount) {
  return random_many(work, amount, 1);
}

const struct io_work disk_work[] = {
  {"disk-raw-write", 512, "MiB", sequential_write},
  {"disk-raw-read", 512, "MiB", sequential_read},
  {"disk-raw-random-read", 4000, "requests", random_read},
  {"disk-raw-random-read-16", 8000, "requests", random_read_16},
  {"disk-raw-random-write", 4000, "requests", random_write},
  {"disk-raw-random-write-16", 8000, "requests", random_write_16},
  {"disk-qcow2-write", 512, "MiB", sequential_write},
  {"disk-qcow2-read", 512, "MiB", sequential_read},
  {"disk-qcow2-random-read", 4000, "requests", random_read},
  {"disk-qcow2-random-read-16", 8000, "requests", random_read_16},
  {"disk-qcow2-random-write", 4000, "requests", random_write},
  {"disk-qcow2-random-write-16", 8000, "requests", random_write_16},
  {0},
};

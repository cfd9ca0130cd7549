// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

/// One piece of work on a disk or a network card. `begin` is to be called where the time starts, `end` where it ends; the
/// result is a checksum of what was moved, which every machine must agree on.
struct io_work {
  const char *name;
  /// At 100 percent, in `unit`s: "MiB", "requests" or "trips".
  uint64_t amount;
  const char *unit;
  uint64_t (*run)(const struct io_work *work, uint64_t amount);
};

extern const struct io_work disk_work[];
extern const struct io_work net_work[];

/// Ports of the host's server (server.c).
extern int tcp_port, udp_port;

/// Prints "@begin NAME AMOUNT UNIT" and "@end NAME".
void begin(const struct io_work *work, uint64_t amount);
void end(const struct io_work *work);
/// Prints "@failed NAME REASON" with what errno says, and ends the program.
void fail(const struct io_work *work, const char *what);

/// The host's server: prints "@serving TCP-PORT UDP-PORT" and ends with its standard input.
int serve(void);

/// What a connection begins with; the server answers with a byte when it has read it.
struct request {
  /// 'd' sends `amount` bytes after another byte has come, 'u' takes as many and answers with their checksum, 'e' echoes.
  uint64_t command;
  uint64_t amount;
};

/// What streams consist of: byte `i` of a stream is `stream_bytes()[i % STREAM_PERIOD]`.
enum { STREAM_PERIOD = 65536, SAMPLE_EVERY = 4096 };
const uint8_t *stream_bytes(void);
/// Adds samples of the bytes [at, at + length) of a stream to a checksum.
uint64_t sample_stream(uint64_t sum, uint64_t at, const uint8_t *bytes, uint64_t length);

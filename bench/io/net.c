// SPDX-License-Identifier: Apache-2.0
// Streams and round trips between the guest and its host, which is at the address of the gateway.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io.h"

#define GATEWAY "10.0.2.2"

static struct sockaddr_in gateway(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, GATEWAY, &address.sin_addr);
  return address;
}

static int connected(const struct io_work *work, int type, int protocol, int port) {
  struct sockaddr_in address = gateway(port);
  int one = 1, file = socket(AF_INET, type, protocol);
  if (file < 0) fail(work, "socket");
  if (connect(file, (struct sockaddr *)&address, sizeof address)) fail(work, "connect");
  if (type == SOCK_STREAM) setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return file;
}

static void send_all(const struct io_work *work, int file, const void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t count = send(file, (const char *)bytes + done, length - done, 0);
    if (count <= 0) fail(work, "send");
    done += count;
  }
}

static void receive_all(const struct io_work *work, int file, void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t count = recv(file, (char *)bytes + done, length - done, 0);
    if (count <= 0) fail(work, "receive");
    done += count;
  }
}

/// A connection on which the server will do what `command` says; its answer shows that it is ready.
static int command(const struct io_work *work, char command, uint64_t amount) {
  int file = connected(work, SOCK_STREAM, 0, tcp_port);
  struct request request = {.command = command, .amount = amount};
  send_all(work, file, &request, sizeof request);
  char ready;
  receive_all(work, file, &ready, 1);
  return file;
}

static uint64_t download(const struct io_work *work, uint64_t amount) {
  static uint8_t buffer[1 << 17];
  uint64_t length = amount << 20, sum = 0;
  int file = command(work, 'd', length);
  begin(work, amount);
  send_all(work, file, "!", 1);
  for (uint64_t at = 0; at < length;) {
    ssize_t count = recv(file, buffer, sizeof buffer, 0);
    if (count <= 0) fail(work, "receive");
    sum = sample_stream(sum, at, buffer, count);
    at += count;
  }
  end(work);
  close(file);
  return sum;
}

static uint64_t upload(const struct io_work *work, uint64_t amount) {
  uint64_t length = amount << 20, sum;
  int file = command(work, 'u', length);
  begin(work, amount);
  for (uint64_t at = 0; at < length; at += STREAM_PERIOD) send_all(work, file, stream_bytes(), STREAM_PERIOD);
  receive_all(work, file, &sum, sizeof sum);
  end(work);
  close(file);
  return sum;
}

static uint64_t tcp_round_trips(const struct io_work *work, uint64_t amount) {
  int file = command(work, 'e', 0);
  uint64_t sum = 0;
  begin(work, amount);
  while (amount--) {
    uint8_t byte = amount;
    send_all(work, file, &byte, 1);
    receive_all(work, file, &byte, 1);
    sum = sum * 31 + byte;
  }
  end(work);
  close(file);
  return sum;
}

/// The same while another process keeps the processor busy, so that it never waits for the network.
static uint64_t busy_round_trips(const struct io_work *work, uint64_t amount) {
  pid_t child = fork();
  if (child < 0) fail(work, "fork");
  if (child == 0) {
    struct sched_param lowest = {0};
    sched_setscheduler(0, SCHED_IDLE, &lowest);
    for (volatile uint64_t i = 0;; i++) {
    }
  }
  uint64_t sum = tcp_round_trips(work, amount);
  kill(child, SIGKILL);
  waitpid(child, 0, 0);
  return sum;
}

/// Packets may be lost: waiting for one that does not come ends with an error.
static void limit_wait(int file) {
  struct timeval limit = {.tv_sec = 5};
  setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

static uint64_t udp_round_trips(const struct io_work *work, uint64_t amount) {
  int file = connected(work, SOCK_DGRAM, 0, udp_port);
  uint64_t sum = 0;
  limit_wait(file);
  begin(work, amount);
  while (amount--) {
    uint8_t byte = amount;
    if (send(file, &byte, 1, 0) != 1) fail(work, "send");
    if (recv(file, &byte, 1, 0) != 1) fail(work, "receive");
    sum = sum * 31 + byte;
  }
  end(work);
  close(file);
  return sum;
}

static uint16_t checksum(const void *bytes, int length) {
  const uint16_t *words = bytes;
  uint32_t sum = 0;
  for (; length > 1; length -= 2) sum += *words++;
  sum = (sum >> 16) + (sum & 0xffff);
  return ~(sum + (sum >> 16));
}

static uint64_t pings(const struct io_work *work, uint64_t amount) {
  int file = connected(work, SOCK_RAW, IPPROTO_ICMP, 0);
  uint64_t sum = 0;
  limit_wait(file);
  begin(work, amount);
  while (amount--) {
    struct icmphdr echo = {.type = ICMP_ECHO};
    echo.un.echo.id = htons(1);
    echo.un.echo.sequence = htons(amount);
    echo.checksum = checksum(&echo, sizeof echo);
    if (send(file, &echo, sizeof echo, 0) != sizeof echo) fail(work, "send");
    uint8_t packet[128];
    ssize_t length = recv(file, packet, sizeof packet, 0);
    size_t header = (packet[0] & 15) * 4;
    if (length < (ssize_t)(header + sizeof echo)) fail(work, "receive");
    memcpy(&echo, packet + header, sizeof echo);
    sum = sum * 31 + echo.type + ntohs(echo.un.echo.sequence);
  }
  end(work);
  close(file);
  return sum;
}

const struct io_work net_work[] = {
  {"net-download", 128, "MiB", download},
  {"net-upload", 128, "MiB", upload},
  {"net-tcp-trip", 2000, "trips", tcp_round_trips},
  {"net-tcp-trip-busy", 2000, "trips", busy_round_trips},
  {"net-udp-trip", 2000, "trips", udp_round_trips},
  {"net-ping", 2000, "trips", pings},
  {0},
};

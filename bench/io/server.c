// SPDX-License-Identifier: Apache-2.0
// The host's end of the network: a process for each TCP connection, and one for UDP. It ends when its standard input does.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io.h"

static int listener(int type, int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int file = socket(AF_INET, type, 0);
  if (file < 0 || bind(file, (struct sockaddr *)&address, size) || getsockname(file, (struct sockaddr *)&address, &size))
    exit(1);
  *port = ntohs(address.sin_port);
  return file;
}

static void send_stream(int file, uint64_t length) {
  char go;
  if (recv(file, &go, 1, 0) != 1) return;
  for (uint64_t at = 0; at < length;) {
    uint64_t from = at % STREAM_PERIOD, piece = STREAM_PERIOD - from;
    ssize_t count = send(file, stream_bytes() + from, piece < length - at ? piece : length - at, 0);
    if (count <= 0) return;
    at += count;
  }
}

static void receive_stream(int file, uint64_t length) {
  static uint8_t buffer[1 << 18];
  uint64_t sum = 0;
  for (uint64_t at = 0; at < length;) {
    ssize_t count = recv(file, buffer, sizeof buffer, 0);
    if (count <= 0) return;
    sum = sample_stream(sum, at, buffer, count);
    at += count;
  }
  send(file, &sum, sizeof sum, 0);
}

static void echo(int file) {
  uint8_t buffer[4096];
  for (;;) {
    ssize_t count = recv(file, buffer, sizeof buffer, 0);
    if (count <= 0 || send(file, buffer, count, 0) != count) return;
  }
}

static void answer(int file) {
  int one = 1;
  struct request request;
  setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (recv(file, &request, sizeof request, MSG_WAITALL) != sizeof request || send(file, "!", 1, 0) != 1) return;
  if (request.command == 'd') send_stream(file, request.amount);
  if (request.command == 'u') receive_stream(file, request.amount);
  if (request.command == 'e') echo(file);
}

/// In a child: ends with its parent.
static void follow_parent(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
}

static void echo_datagrams(int file) {
  uint8_t buffer[65536];
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t count = recvfrom(file, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &size);
    if (count >= 0) sendto(file, buffer, count, 0, (struct sockaddr *)&from, size);
  }
}

int serve(void) {
  int tcp, udp, streams = listener(SOCK_STREAM, &tcp), datagrams = listener(SOCK_DGRAM, &udp);
  if (listen(streams, 16)) return 1;
  signal(SIGCHLD, SIG_IGN);
  if (fork() == 0) {
    follow_parent();
    echo_datagrams(datagrams);
  }
  printf("@serving %d %d\n", tcp, udp);
  fflush(stdout);
  for (;;) {
    struct pollfd wait[] = {{.fd = 0, .events = POLLIN}, {.fd = streams, .events = POLLIN}};
    if (poll(wait, 2, -1) < 0 || wait[0].revents) return 0;
    int file = accept(streams, 0, 0);
    if (file < 0) continue;
    if (fork() == 0) {
      follow_parent();
      close(streams);
      answer(file);
      exit(0);
    }
    close(file);
  }
}

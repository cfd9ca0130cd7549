// SPDX-License-Identifier: Apache-2.0
// Workloads of pointers: calls through them, and chains of them that do not fit the caches.
#include <stdlib.h>
#include "workloads.h"

typedef uint32_t (*step_fn)(uint32_t);

static uint32_t step_add(uint32_t x) { return x + 0x9e3779b9u; }
static uint32_t step_xor(uint32_t x) { return x ^ 0x85ebca6bu; }
static uint32_t step_multiply(uint32_t x) { return x * 2654435761u; }
static uint32_t step_rotate(uint32_t x) { return x << 13 | x >> 19; }
static uint32_t step_fold(uint32_t x) { return x ^ x >> 15; }
static uint32_t step_not(uint32_t x) { return ~x; }
static uint32_t step_odd(uint32_t x) { return x | 1; }
static uint32_t step_minus(uint32_t x) { return 12345 - x; }

/// Function pointers from a table, in an order that depends on what they compute.
static uint64_t indirect(uint64_t rounds) {
  static step_fn steps[8] = {step_add, step_xor,  step_multiply, step_rotate,
                             step_fold, step_not, step_odd,      step_minus};
  uint32_t x = 1;
  for (uint64_t i = 0; i < rounds; i++) x = steps[(x + i) >> 7 & 7](x);
  return x;
}

struct shape;

struct shape_methods {
  uint32_t (*area)(const struct shape *);
  void (*grow)(struct shape *, uint32_t);
};

struct shape {
  const struct shape_methods *methods;
  uint32_t width, height;
};

static uint32_t rectangle_area(const struct shape *s) { return s->width * s->height; }
static uint32_t triangle_area(const struct shape *s) { return s->width * s->height / 2; }
static uint32_t ring_area(const struct shape *s) { return 3 * (s->width * s->width - s->height * s->height); }
static void grow_width(struct shape *s, uint32_t by) { s->width = (s->width + by) & 0xffff; }
static void grow_both(struct shape *s, uint32_t by) {
  s->width = (s->width + by) & 0xffff;
  s->height = (s->height ^ by) & 0xffff;
}

/// Objects of three classes in an array, as C++ lays them out: every call loads a table, and a function from it.
static uint64_t virtual_calls(uint64_t rounds) {
  enum { N = 512 };
  static const struct shape_methods classes[3] = {
    {rectangle_area, grow_width}, {triangle_area, grow_both}, {ring_area, grow_width}};
  static struct shape shapes[N];
  uint32_t seed = 7;
  for (int i = 0; i < N; i++) {
    seed = seed * 1664525 + 1013904223;
    shapes[i] = (struct shape){&classes[(seed >> 16) % 3], seed >> 20, seed >> 8 & 0xff};
  }
  uint64_t sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    struct shape *s = &shapes[i % N];
    s->methods->grow(s, (uint32_t)i);
    sum += s->methods->area(s);
  }
  return sum;
}

struct node {
  struct node *next;
  uint32_t value;
  char rest[64 - sizeof(struct node *) - 4]; // a cache line each
};

/// A linked list through 16 MiB in random order: every step waits for memory.
static uint64_t linked_list(uint64_t rounds) {
  enum { N = 1 << 18 };
  struct node *nodes = malloc(N * sizeof *nodes);
  uint32_t *order = malloc(N * sizeof *order), seed = 99;
  if (!nodes || !order) return 0;
  for (uint32_t i = 0; i < N; i++) order[i] = i;
  for (uint32_t i = N - 1; i > 0; i--) {
    seed = seed * 1664525 + 1013904223;
    uint32_t other = (uint32_t)((uint64_t)seed * i >> 32), swapped = order[i];
    order[i] = order[other];
    order[other] = swapped;
  }
  for (uint32_t i = 0; i < N; i++) {
    nodes[order[i]].next = &nodes[order[(i + 1) % N]];
    nodes[order[i]].value = i;
  }
  uint64_t sum = 0;
  const struct node *at = nodes;
  for (uint64_t i = 0; i < rounds; i++, at = at->next) sum += at->value ^ i;
  free(order), free(nodes);
  return sum;
}

const struct workload dispatch_workloads[] = {
  {"indirect", 40000000, indirect},
  {"virtual", 14000000, virtual_calls},
  {"linked-list", 1500000, linked_list},
  {0},
};

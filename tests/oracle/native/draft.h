// SPDX-License-Identifier: Apache-2.0
// An instruction in the making: what has been decided so far between a row and a finished vector.
#ifndef ISOLA_ORACLE_DRAFT_H
#define ISOLA_ORACLE_DRAFT_H

#include "memory_map.h"
#include "random.h"
#include "row.h"
#include "state.h"

enum { NO_REGISTER = 255 };

struct draft {
  const struct row *row;
  struct random *random;
  struct vector *v;
  bool mode64;
  int operand_size; // 2, 4 or 8
  int address_size; // 2, 4 or 8
  int vector_size; // 16 or 32
  // prefixes
  bool prefix_66, prefix_67, prefix_lock, rex, w, vex_l;
  uint8_t prefix_repeat; // 0, F2 or F3
  uint8_t prefix_segment; // 0 or the byte
  uint8_t vex_prefix; // 0 or a prefix that must not stand in front of VEX
  // operands
  uint8_t reg, rm, vvvv; // 0-15
  uint8_t opcode_register;
  bool memory; // rm is memory
  uint64_t immediate;
  int immediate_size;
  int extra_immediate_size; // ENTER has two
  // memory operand
  uint64_t address; // linear address aimed at
  int access_size;
  uint8_t access_kind;
  bool needs_sib;
  uint8_t base, index, scale;
  uint64_t index_value;
  int64_t displacement;
  int displacement_size;
  bool rip_relative;
  bool has_displacement_only;
  bool vector_index; // VSIB: `index` is a vector register
};

uint64_t address_mask(const struct draft *d);
// A place for a memory operand; now and then one that faults.
uint64_t choose_address(struct draft *d, int size);
// Decides base, index and displacement that lead to d->address.
void choose_addressing(struct draft *d);
// Gives base and index registers the values that this needs.
void assign_addressing(struct draft *d);
// Writes bytes to memory before the run, if the place exists and there is room for one more patch.
void add_patch(struct draft *d, uint64_t address, int length, const uint8_t *bytes);
void add_patch_value(struct draft *d, uint64_t address, int length, uint64_t value);

void choose_operands(struct draft *d);
void assign_operands(struct draft *d);
void patch_memory_operand(struct draft *d);
const struct operand *memory_operand(const struct row *row);

// Class-specific state: strings, stack, division, x87 ranges. Registers before assign_addressing, memory after it.
void set_up_registers(struct draft *d);
void set_up_memory(struct draft *d);
// A place that a branch may go to.
uint64_t choose_target(struct draft *d);

// Writes the bytes; false when the instruction would be longer than 15 bytes.
bool encode(struct draft *d);

// What the architecture leaves open in the result.
void mark_undefined(struct draft *d);
// After a run: notes that depend on how it ended.
void mark_outcome(struct vector *v, const struct row *row);

#endif

// SPDX-License-Identifier: Apache-2.0
import type { GuestMemory, GuestSample } from "@isola/ports";
import { findKallsyms } from "../symbols/kallsyms.js";
import type { SymbolTable } from "../symbols/symbol-table.js";
import { OrcUnwinder } from "./orc.js";

/** Where IA32_LSTAR and IA32_SYSENTER_EIP lead in Linux. */
const SYSTEM_CALL_ENTRY = "entry_SYSCALL_64";
const SYSTEM_ENTER_ENTRIES = ["entry_SYSENTER_32", "entry_SYSENTER_compat"];

/** Memory around the system call entry in which the kernel's read-only data is looked for: its image is in one piece. */
const BELOW = 32 << 20;
const ABOVE = 64 << 20;
const PAGE = 4096;
/** Looks for symbols in memory, which take tens of milliseconds each. */
const MAX_LOOKS = 5;
/** Samples between two of them. */
const LOOK_INTERVAL = 500;

/** What is known of the Linux kernel that a guest runs: its symbols, and how to unwind its stacks. */
export interface KernelKnowledge {
  readonly symbols: SymbolTable;
  readonly unwinder: OrcUnwinder | null;
}

/**
 * By how much a kernel with these symbols was moved when it was loaded (KASLR): the addresses of its system call entries
 * tell. null until the kernel has set them, or if the symbols belong to something else.
 */
function displacement(symbols: SymbolTable, { systemCall, systemEnter }: GuestSample): bigint | null {
  const linked = symbols.addressOf(SYSTEM_CALL_ENTRY);
  if (linked !== undefined && systemCall !== 0n) return systemCall - linked;
  for (const name of SYSTEM_ENTER_ENTRIES) {
    const entry = symbols.addressOf(name);
    if (entry !== undefined && systemEnter !== 0n) return systemEnter - entry;
  }
  return null;
}

/** Finds out about the guest's kernel while it is sampled: from a table that the operator gave, or from its memory. */
export class LinuxKernel {
  private knowledge: KernelKnowledge | null = null;
  private looks = 0;
  private untilLook = 0;

  /** @param given symbols as the kernel was linked; null to look for them in memory */
  constructor(private readonly given: SymbolTable | null) {}

  /** What is known by now. */
  get known(): KernelKnowledge | null {
    return this.knowledge;
  }

  /** Learns from a sample if something is missing. */
  observe(sample: GuestSample, memory: GuestMemory): void {
    if (this.knowledge !== null || sample.user) return;
    if (this.given !== null) {
      const moved = displacement(this.given, sample);
      if (moved !== null) this.learn(moved === 0n ? this.given : this.given.moved(moved), memory);
      return;
    }
    if (sample.bits !== 64 || sample.systemCall === 0n || this.looks >= MAX_LOOKS || this.untilLook-- > 0) return;
    this.looks++;
    this.untilLook = LOOK_INTERVAL;
    const symbols = symbolsInMemory(sample.systemCall, memory);
    if (symbols !== null) this.learn(symbols, memory);
  }

  /** The guest starts anew, perhaps with another kernel. */
  forget(): void {
    this.knowledge = null;
    this.looks = 0;
    this.untilLook = 0;
  }

  private learn(symbols: SymbolTable, memory: GuestMemory): void {
    this.knowledge = { symbols, unwinder: OrcUnwinder.of(symbols, memory) };
  }
}

function symbolsInMemory(entry: bigint, memory: GuestMemory): SymbolTable | null {
  const at = memory.translate(entry);
  if (at < 0) return null;
  const start = Math.max(0, at - BELOW - (at % PAGE));
  // RAM may end inside: as much of the window as there is.
  for (let length = at - start + ABOVE; length > at - start; length = Math.floor(length / 2)) {
    const image = memory.physical(start, length - (length % PAGE));
    if (image !== null) return findKallsyms(image, entry, SYSTEM_CALL_ENTRY);
  }
  return null;
}

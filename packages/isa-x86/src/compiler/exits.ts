// SPDX-License-Identifier: Apache-2.0
/** Ways out of a compiled region. Their code is at the end of the function, after that of all blocks. */
export const enum ExitKind {
  /** To the run loop, before the block whose head is given: the budget is used up or the event word is set. */
  Event = 0,
  /** The instruction has raised an exception, or the interpreter must do it. */
  Fault = 1,
  /** The run loop must emulate the instruction. */
  Trap = 2,
  /** To wherever RIP in the CPU record says. */
  Reenter = 3,
  /** The block has died: look up the given instruction afresh. */
  Resync = 4,
  /** Through a link of the given record. */
  Link = 5,
  /** To an address that is not known when the region is compiled. */
  Lookup = 6,
  Count = 7,
}

// SPDX-License-Identifier: Apache-2.0
/** Labels at the end of a region's function, behind the code of all blocks: where control leaves it. */
export const enum ExitKind {
  /** Through a link of the given record. */
  Link = 0,
  /** To an address that is not known when the region is compiled. */
  Lookup = 1,
  /** For one of the reasons of {@link ColdExit}. */
  Cold = 2,
  Count = 3,
}

/** Rare reasons to leave a region, as the local `exitReason` names them; see the record in `exitRecord`. */
export const enum ColdExit {
  /** The instruction has raised an exception, or the interpreter must do it. */
  Fault = 0,
  /** To the run loop, before the block whose head is given: the budget is used up or the event word is set. */
  Event = 1,
  /** The run loop must emulate the instruction. */
  Trap = 2,
  /** To wherever RIP in the CPU record says. */
  Reenter = 3,
  /** The block has died: look up the given instruction afresh. */
  Resync = 4,
}

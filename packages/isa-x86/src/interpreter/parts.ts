// SPDX-License-Identifier: Apache-2.0
/** Functions that the interpreter module exports besides its handlers, all with a handler's signature; see HandlerTargets. */
export const INTERPRETER_PARTS = ["raise", "goto", "enter", "linkTaken", "linkNotTaken", "trap"] as const;

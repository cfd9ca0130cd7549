// SPDX-License-Identifier: Apache-2.0

type Keys = Pick<KeyboardEvent, "type" | "ctrlKey" | "altKey" | "code">;

/**
 * Whether these keys lead out of the machine, to the page's controls: Control, Alt and G, as in other emulators. Screen
 * and terminal take all other keys, Tab included, so that without this nobody could leave them without a mouse.
 */
export function leadsOut({ type, ctrlKey, altKey, code }: Keys): boolean {
  return type === "keydown" && ctrlKey && altKey && code === "KeyG";
}

// SPDX-License-Identifier: Apache-2.0

/** Codes of keys from `first` on, by the names of UI Events KeyboardEvent code Values. */
function row(first: number, names: string): [string, number][] {
  return names.split(" ").map((name, i) => [name, first + i]);
}

const EXTENDED = 0xe000;

/**
 * Scan codes of set 1 by where a key is on the keyboard, whatever is printed on it, with 0xE000 added for keys whose
 * codes begin with E0. Not here is what no PC keyboard has.
 */
const SCAN_CODES: ReadonlyMap<string, number> = new Map([
  ...row(0x01, "Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace"),
  ...row(0x0f, "Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft"),
  ...row(0x1e, "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft Backslash"),
  ...row(
    0x2c,
    "KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight NumpadMultiply AltLeft Space CapsLock",
  ),
  ...row(0x3b, "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock"),
  ...row(0x47, "Numpad7 Numpad8 Numpad9 NumpadSubtract Numpad4 Numpad5 Numpad6 NumpadAdd Numpad1 Numpad2 Numpad3"),
  ...row(0x52, "Numpad0 NumpadDecimal"),
  ...row(0x56, "IntlBackslash F11 F12"),
  ...row(EXTENDED + 0x1c, "NumpadEnter ControlRight"),
  ...row(EXTENDED + 0x47, "Home ArrowUp PageUp"),
  ...row(EXTENDED + 0x4f, "End ArrowDown PageDown Insert Delete"),
  ...row(EXTENDED + 0x5b, "MetaLeft MetaRight ContextMenu"),
  ["NumpadEqual", 0x59],
  ["KanaMode", 0x70],
  ["IntlRo", 0x73],
  ["Convert", 0x79],
  ["NonConvert", 0x7b],
  ["IntlYen", 0x7d],
  ["NumpadComma", 0x7e],
  ["PrintScreen", EXTENDED + 0x37],
  ["NumpadDivide", EXTENDED + 0x35],
  ["AltRight", EXTENDED + 0x38],
  ["Pause", EXTENDED + 0x11d],
  ["ArrowLeft", EXTENDED + 0x4b],
  ["ArrowRight", EXTENDED + 0x4d],
  ["OSLeft", EXTENDED + 0x5b],
  ["OSRight", EXTENDED + 0x5c],
]);

/** The scan code of a key by its place (`KeyboardEvent.code`); null for keys that no PC keyboard has. */
export function scanCodeOf(code: string): number | null {
  return SCAN_CODES.get(code) ?? null;
}

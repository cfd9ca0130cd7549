// SPDX-License-Identifier: Apache-2.0
/** Input device (VIRTIO 1.2, section 5.8). */
export const INPUT_TYPE = 18;
/** PCI classes: input, keyboard; input, other. */
export const KEYBOARD_CLASS = 0x09_0000;
export const TABLET_CLASS = 0x09_8000;
export const QUEUE_SIZE = 64;
export const EVENT_SIZE = 8;
/** Events that wait for buffers. */
export const MAX_EVENTS = 256;

export const enum Queue {
  Events = 0,
  Status = 1,
}

/** Device configuration (5.8.4). */
export const enum Config {
  Select = 0,
  Subselect = 1,
  Size = 2,
  Data = 8,
  Length = 136,
}

/** Values of the select field. */
export const enum Select {
  Name = 0x01,
  Serial = 0x02,
  Ids = 0x03,
  EventBits = 0x11,
  AbsoluteInfo = 0x12,
}

export const enum EventType {
  Synchronize = 0x00,
  Key = 0x01,
  Relative = 0x02,
  Absolute = 0x03,
  Light = 0x11,
  Repeat = 0x14,
}

export const enum Axis {
  AbsoluteX = 0,
  AbsoluteY = 1,
  Wheel = 8,
}

/** Left, right, middle, side and extra button have numbers from here on. */
export const FIRST_BUTTON = 0x110;
export const BUTTONS = 5;
/** Num lock, caps lock, scroll lock. */
export const LIGHTS = 3;
export const LAST_POSITION = 0x7fff;

/** The bus of devices that exist in software only, and the identity of those of virtual machines. */
export const BUS_VIRTUAL = 0x06;
export const VENDOR = 0x0627;

// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";
import { Attribute, Crtc, Graphics, Sequencer, Vbe, VBE_LAST_ID } from "./registers.js";

/** All registers of the display. */
export interface VgaRegisters {
  miscellaneous: number;
  feature: number;
  sequencerIndex: number;
  sequencer: number[];
  graphicsIndex: number;
  graphics: number[];
  crtcIndex: number;
  crtc: number[];
  attributeIndex: number;
  attribute: number[];
  /** The attribute port takes an index next, else data. */
  attributeIndexNext: boolean;
  dacMask: number;
  dacRead: number;
  dacWrite: number;
  /** Which of red, green and blue comes next, and whether the last index was for reading. */
  dacComponent: number;
  dacReading: boolean;
  /** 256 colours of three components. */
  palette: number[];
  /** The four bytes that the last read of planes has left, plane 0 in the lowest. */
  latch: number;
  vbeIndex: number;
  vbe: number[];
}

/** Video memory is part of the machine's memory, and saved with it. */
export interface VgaState extends DeviceState {
  readonly device: "vga";
  readonly version: 1;
  pci: PciFunctionState;
  registers: VgaRegisters;
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

export function vgaResetRegisters(): VgaRegisters {
  const vbe = zeros(Vbe.Count);
  vbe[Vbe.Id] = VBE_LAST_ID;
  return {
    miscellaneous: 0,
    feature: 0,
    sequencerIndex: 0,
    sequencer: zeros(Sequencer.Count),
    graphicsIndex: 0,
    graphics: zeros(Graphics.Count),
    crtcIndex: 0,
    crtc: zeros(Crtc.Count),
    attributeIndex: 0,
    attribute: zeros(Attribute.Count),
    attributeIndexNext: true,
    dacMask: 0xff,
    dacRead: 0,
    dacWrite: 0,
    dacComponent: 0,
    dacReading: false,
    palette: zeros(256 * 3),
    latch: 0,
    vbeIndex: 0,
    vbe,
  };
}

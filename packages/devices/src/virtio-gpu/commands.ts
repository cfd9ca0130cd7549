// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import type { Chain } from "../virtio/chain.js";
import { edidBlock } from "./edid.js";
import {
  Answer,
  Command,
  CURSOR_SIDE,
  DISPLAY_SIZE,
  EDID_SIZE,
  FLAG_FENCE,
  FORMATS,
  HEADER_SIZE,
  MAX_ALL_ENTRIES,
  MAX_ENTRIES,
  MAX_PIXEL_BYTES,
  MAX_REQUEST,
  MAX_RESOURCES,
  MAX_SCANOUTS,
  MAX_SIDE,
  MEMORY_ENTRY,
} from "./registers.js";
import { type BackingEntry, type Rectangle, Resource } from "./resource.js";
import type { VirtioGpuState } from "./state.js";

/** Images and what is shown of them. */
export interface GpuTarget {
  readonly ram: GuestRam;
  readonly resources: Map<number, Resource>;
  readonly s: VirtioGpuState;
  /** Size of the monitor. */
  readonly width: number;
  readonly height: number;
  /** What is shown has changed. */
  changed(): void;
  /** Bytes are about to be copied or cleared. */
  spend(bytes: number): void;
}

/** What a command answers: its kind, and data behind the header. */
interface Reply {
  readonly answer: Answer;
  readonly data?: Uint8Array;
}

const NO_DATA: Reply = { answer: Answer.NoData };

function refuse(answer: Answer): Reply {
  return { answer };
}

function rectangleAt(view: DataView, at: number): Rectangle {
  const [x, y, width, height] = [0, 4, 8, 12].map((offset) => view.getUint32(at + offset, true));
  return { x, y, width, height };
}

/** Carries out a request (5.7.6.8); returns the answer with its header. */
export function executeRequest(chain: Chain, target: GpuTarget): Uint8Array {
  const request = new Uint8Array(MAX_REQUEST);
  const length = chain.read(target.ram, 0, request);
  const view = new DataView(request.buffer);
  const { answer, data } = length < HEADER_SIZE ? refuse(Answer.Unspecified) : dispatch(chain, view, target);
  const bytes = new Uint8Array(HEADER_SIZE + (data?.length ?? 0));
  if (data !== undefined) bytes.set(data, HEADER_SIZE);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, answer, true);
  // Everything is done at once, so a fence has been passed when the answer is there (5.7.6.7).
  if ((view.getUint32(4, true) & FLAG_FENCE) === 0) return bytes;
  header.setUint32(4, FLAG_FENCE, true);
  bytes.set(request.subarray(8, 20), 8);
  return bytes;
}

function dispatch(chain: Chain, view: DataView, target: GpuTarget): Reply {
  const first = view.getUint32(HEADER_SIZE, true);
  switch (view.getUint32(0, true)) {
    case Command.GetDisplayInfo:
      return { answer: Answer.DisplayInfo, data: displayInfo(target) };
    case Command.GetEdid:
      return first === 0 ? { answer: Answer.Edid, data: edid(target) } : refuse(Answer.InvalidScanout);
    case Command.Create2d:
      return create(view, target);
    case Command.Unref:
      return unref(first, target);
    case Command.SetScanout:
      return setScanout(view, target);
    case Command.Flush:
      return flush(view, target);
    case Command.TransferToHost2d:
      return transfer(view, target);
    case Command.AttachBacking:
      return attach(chain, view, target);
    case Command.DetachBacking: {
      const resource = target.resources.get(first);
      resource?.attach([]);
      return resource === undefined ? refuse(Answer.InvalidResource) : NO_DATA;
    }
    case Command.UpdateCursor:
    case Command.MoveCursor:
      return cursor(view, target);
    default:
      return refuse(Answer.Unspecified);
  }
}

/** One screen, of the 16 that the answer has room for. */
function displayInfo({ width, height }: GpuTarget): Uint8Array {
  const bytes = new Uint8Array(MAX_SCANOUTS * DISPLAY_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, width, true);
  view.setUint32(12, height, true);
  view.setUint32(16, 1, true);
  return bytes;
}

function edid({ width, height }: GpuTarget): Uint8Array {
  const block = edidBlock(width, height);
  const bytes = new Uint8Array(8 + EDID_SIZE);
  new DataView(bytes.buffer).setUint32(0, block.length, true);
  bytes.set(block, 8);
  return bytes;
}

function create(view: DataView, { resources, spend }: GpuTarget): Reply {
  const [id, format, width, height] = [0, 4, 8, 12].map((at) => view.getUint32(HEADER_SIZE + at, true));
  if (id === 0 || resources.has(id)) return refuse(Answer.InvalidResource);
  const order = FORMATS.get(format);
  if (order === undefined || width === 0 || height === 0 || width > MAX_SIDE || height > MAX_SIDE)
    return refuse(Answer.InvalidParameter);
  let used = width * height * 4;
  for (const { pixels } of resources.values()) used += pixels.length;
  if (resources.size >= MAX_RESOURCES || used > MAX_PIXEL_BYTES) return refuse(Answer.OutOfMemory);
  spend(width * height * 4);
  resources.set(id, new Resource(format, order, width, height));
  return NO_DATA;
}

function unref(id: number, { resources, s, changed }: GpuTarget): Reply {
  if (!resources.delete(id)) return refuse(Answer.InvalidResource);
  if (s.shown === id) s.shown = 0;
  if (s.cursor === id) s.cursor = 0;
  changed();
  return NO_DATA;
}

function setScanout(view: DataView, { resources, s, changed }: GpuTarget): Reply {
  const area = rectangleAt(view, HEADER_SIZE);
  const scanout = view.getUint32(HEADER_SIZE + 16, true);
  const id = view.getUint32(HEADER_SIZE + 20, true);
  if (scanout !== 0) return refuse(Answer.InvalidScanout);
  if (id !== 0) {
    const resource = resources.get(id);
    if (resource === undefined) return refuse(Answer.InvalidResource);
    if (area.width === 0 || area.height === 0 || !resource.contains(area)) return refuse(Answer.InvalidParameter);
    s.area = { ...area };
  }
  s.shown = id;
  changed();
  return NO_DATA;
}

function flush(view: DataView, { resources, s, changed }: GpuTarget): Reply {
  const area = rectangleAt(view, HEADER_SIZE);
  const id = view.getUint32(HEADER_SIZE + 16, true);
  const resource = resources.get(id);
  if (resource === undefined) return refuse(Answer.InvalidResource);
  if (!resource.contains(area)) return refuse(Answer.InvalidParameter);
  if (s.shown === id) changed();
  return NO_DATA;
}

function transfer(view: DataView, { ram, resources, spend }: GpuTarget): Reply {
  const area = rectangleAt(view, HEADER_SIZE);
  const offset = view.getUint32(HEADER_SIZE + 16, true) + view.getUint32(HEADER_SIZE + 20, true) * 2 ** 32;
  const resource = resources.get(view.getUint32(HEADER_SIZE + 24, true));
  if (resource === undefined || resource.backing.length === 0) return refuse(Answer.InvalidResource);
  if (!resource.contains(area)) return refuse(Answer.InvalidParameter);
  spend(area.width * area.height * 4);
  resource.transfer(ram, area, offset);
  return NO_DATA;
}

function attach(chain: Chain, view: DataView, { ram, resources }: GpuTarget): Reply {
  const resource = resources.get(view.getUint32(HEADER_SIZE, true));
  const count = view.getUint32(HEADER_SIZE + 4, true);
  if (resource === undefined || resource.backing.length > 0) return refuse(Answer.InvalidResource);
  if (count === 0 || count > MAX_ENTRIES) return refuse(Answer.InvalidParameter);
  let used = count;
  for (const { backing } of resources.values()) used += backing.length;
  if (used > MAX_ALL_ENTRIES) return refuse(Answer.OutOfMemory);
  const bytes = new Uint8Array(count * MEMORY_ENTRY);
  if (chain.read(ram, HEADER_SIZE + 8, bytes) < bytes.length) return refuse(Answer.InvalidParameter);
  const list = new DataView(bytes.buffer);
  const entries: BackingEntry[] = [];
  for (let at = 0; at < bytes.length; at += MEMORY_ENTRY) {
    const address = list.getUint32(at, true) + list.getUint32(at + 4, true) * 2 ** 32;
    const length = list.getUint32(at + 8, true);
    if (ram.offsetOf(address, length) < 0) return refuse(Answer.InvalidParameter);
    entries.push({ address, length });
  }
  resource.attach(entries);
  return NO_DATA;
}

/** A new image, or only a new place, of the cursor. */
function cursor(view: DataView, { resources, s, changed }: GpuTarget): Reply {
  const [scanout, x, y] = [0, 4, 8].map((at) => view.getUint32(HEADER_SIZE + at, true));
  if (scanout !== 0) return refuse(Answer.InvalidScanout);
  if (view.getUint32(0, true) === Command.UpdateCursor) {
    const [id, hotX, hotY] = [16, 20, 24].map((at) => view.getUint32(HEADER_SIZE + at, true));
    const image = resources.get(id);
    if (id !== 0 && (image === undefined || image.width !== CURSOR_SIDE || image.height !== CURSOR_SIDE))
      return refuse(Answer.InvalidResource);
    s.cursor = id;
    s.hot = { x: hotX, y: hotY };
  }
  // Places left of or above the screen are negative.
  s.cursorAt = { x: x | 0, y: y | 0 };
  changed();
  return NO_DATA;
}

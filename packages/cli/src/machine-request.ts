// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { VsockForward } from "@isola/host-node";
import { TRANSLATIONS } from "@isola/isa-x86";
import {
  checkConfig,
  DEFAULT_CONFIG,
  type BootSource,
  type MachineConfig,
  OPTIONAL_DEVICES,
  type OptionalDevice,
} from "@isola/machine";
import type { BoardRequest } from "./board-request.js";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { type DiskOption, parseDiskOption } from "./disk-option.js";
import { DiskPlacement } from "./disk-placement.js";
import { GPU_OPTIONS, gpuRequest } from "./gpu-option.js";
import { INPUT_OPTIONS, inputRequest } from "./input-option.js";
import { NETWORK_OPTIONS, type NetworkRequest, parseNetwork } from "./network-option.js";
import { NETWORK_NAME } from "./network-session.js";
import { oneOf } from "./one-of.js";
import { isPc, PC_OPTIONS, type PcFirmware, pcRequest, refusePcOptions, SCREEN_OPTIONS } from "./pc-request.js";
import { SHARE_OPTIONS, type ShareOption, shareOptions } from "./share-option.js";
import { parseInteger, parseSize } from "./size.js";
import { UsageError } from "./usage-error.js";
import { VSOCK_OPTIONS, vsockForwards } from "./vsock-option.js";

const FLAT_MODES = ["real", "protected", "long"] as const;
const REPEATABLE_SEED = 1;
/** The address of every guest: it has a meaning in its own machine only. */
const GUEST_CID = 3;
const DEVICE_NAMES = Object.keys(OPTIONAL_DEVICES);

/** Options that describe a machine. */
export const MACHINE_OPTIONS: OptionSpecs = {
  machine: { value: "KIND", help: "microvm (default), or pc: starts by a BIOS from --disk, --cdrom or --floppy" },
  kernel: { value: "FILE", help: "boot this bzImage, Multiboot or PVH kernel" },
  initrd: { value: "FILE", many: true, help: "initial RAM disk, or a Multiboot module" },
  append: { value: "TEXT", help: "kernel command line; with an image, added to the image's own" },
  "load-address": { value: "ADDRESS", help: "take --kernel as a raw binary, loaded and entered here" },
  mode: { value: "MODE", help: `processor mode of a raw binary: ${FLAT_MODES.join(", ")} (default real)` },
  memory: { value: "SIZE", help: `guest memory, for example 512M or 2G (default ${DEFAULT_CONFIG.memory >> 20}M)` },
  name: { value: "TEXT", help: "name of the machine, the asset tag in its SMBIOS structures" },
  uuid: { value: "UUID", help: "UUID that the guest sees (default: none)" },
  cpus: { value: "COUNT", help: "virtual CPUs (default 1)" },
  disk: {
    value: "FILE[,FLAG]",
    many: true,
    help: "disk image or its web address; FLAG: readonly, temporary, format=F, bus=nvme|ahci|usb, cdrom",
  },
  ...NETWORK_OPTIONS,
  ...VSOCK_OPTIONS,
  ...SHARE_OPTIONS,
  device: { value: "NAME", many: true, help: `add a device: ${DEVICE_NAMES.join(", ")}` },
  clock: { value: "KIND", help: "wall, or virtual: time counts instructions, randomness is fixed, runs repeat" },
  translation: {
    value: "KIND",
    help: "how guest code is executed: auto, background, off (interpret), at-once, early (for tests)",
  },
  "translation-cache": {
    value: "FILE",
    help: "keep compiled guest code in FILE, or not at all: off (default: a file for each guest in the cache directory)",
  },
  ...INPUT_OPTIONS,
  ...GPU_OPTIONS,
  balloon: { value: "SIZE", help: "give the machine a balloon, and ask the guest to get by with so much of --memory" },
  ...PC_OPTIONS,
  ...SCREEN_OPTIONS,
};

/** What a pulled image contributes. */
export interface ImageFiles {
  readonly kernel: string;
  readonly initrd: string;
  readonly disk?: string;
  readonly append: string;
}

/** A machine to make: its configuration, and the files and disks that this refers to by path. */
export interface MachineRequest {
  readonly config: MachineConfig;
  readonly files: readonly string[];
  /** In the order of the configuration; stores are named by their index. */
  readonly disks: readonly DiskOption[];
  /** The network of that name; null for none. */
  readonly network: NetworkRequest | null;
  /** File with compiled guest code; "auto" for one that belongs to this guest, null for none. */
  readonly translationCache: string | null;
  readonly vsock: readonly VsockForward[];
  /** In the order of the configuration; trees are named by their index. */
  readonly shares: readonly ShareOption[];
}

function bootSource(line: CommandLine, image: ImageFiles | null): Exclude<BootSource, { kind: "firmware" }> {
  const kernel = line.get("kernel") ?? image?.kernel;
  if (kernel === undefined)
    throw new UsageError("nothing to boot: name an image, such as debian:12, or give --kernel FILE");
  const address = line.get("load-address");
  if (address !== undefined) {
    const mode = oneOf(line.get("mode") ?? "real", "mode", FLAT_MODES);
    return { kind: "flat", file: kernel, address: parseInteger(address, "--load-address", 0, 0xffff_ffff), mode };
  }
  if (line.has("mode")) throw new UsageError("--mode needs --load-address");
  const given = line.all("initrd");
  const modules = given.length > 0 || image === null ? given : [image.initrd];
  const tags = shareOptions(line).map(({ tag, readOnly }) => (readOnly ? `${tag}:ro` : tag));
  // Images of ours mount them; a guest cannot ask which there are.
  const shares = image === null || tags.length === 0 ? undefined : `isola.share=${tags.join(",")}`;
  const commandLine = [image?.append, shares, line.get("append")]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
  return { kind: "kernel", kernel, modules, commandLine };
}

/** What checkConfig finds wrong here was typed on the command line. */
function checkTyped(config: MachineConfig): void {
  try {
    checkConfig(config);
  } catch (error) {
    throw error instanceof OperatorError ? new UsageError(error.message) : error;
  }
}

/** Where nothing is interpreted, or nothing compiled, or it is only a test, there is nothing to be kept. */
function translationCache(line: CommandLine, { translation }: MachineConfig): string | null {
  const given = line.get("translation-cache") ?? "auto";
  const keeps = translation === "auto" || translation === "background";
  return given === "off" || !keeps ? null : given;
}

function microvmRequest(line: CommandLine, image: ImageFiles | null): BoardRequest {
  refusePcOptions(line);
  const boot = bootSource(line, image);
  const disks = new DiskPlacement("virtio", () => {
    throw new UsageError("--disk: a microvm has no IDE drives: say bus=ahci, or --machine pc");
  });
  // The image's disk comes first, and belongs to every machine that is made from the image: changes are thrown away.
  if (image?.disk !== undefined) disks.add({ path: image.disk, mode: "temporary", format: "raw" });
  for (const text of line.all("disk")) disks.add(parseDiskOption(text));
  return {
    config: {
      preset: "microvm",
      boot,
      ...disks.config,
      ide: [],
      floppies: [],
      sound: null,
    },
    files: boot.kind === "kernel" ? [boot.kernel, ...boot.modules] : [boot.file],
    disks: disks.options,
  };
}

function boardRequest(line: CommandLine, image: ImageFiles | null, firmware: PcFirmware | null): BoardRequest {
  if (!isPc(line)) return microvmRequest(line, image);
  if (image !== null) throw new UsageError("images such as debian:12 run in a microvm: leave out --machine pc");
  return pcRequest(line, firmware ?? { file: "", nvram: null, videoRom: null });
}

/**
 * Turns options, and the image if one was named, into a machine. Throws UsageError if they make no sense.
 * @param firmware files of a `pc`; without them the result is only good for finding mistakes
 */
export function machineRequest(
  line: CommandLine,
  image: ImageFiles | null,
  firmware: PcFirmware | null = null,
): MachineRequest {
  const board = boardRequest(line, image, firmware);
  const network = parseNetwork(line);
  const vsock = vsockForwards(line);
  const shares = shareOptions(line);
  const memory = line.get("memory");
  const balloon = line.get("balloon");
  const inputs = inputRequest(line);
  const clock = oneOf(line.get("clock") ?? "wall", "clock", ["wall", "virtual"] as const);
  const config: MachineConfig = {
    ...DEFAULT_CONFIG,
    ...board.config,
    usb: [...board.config.usb, ...inputs.usb],
    virtioInputs: inputs.virtioInputs,
    gpu: gpuRequest(line),
    balloon: balloon === undefined ? null : parseSize(balloon, "--balloon"),
    memory: memory === undefined ? DEFAULT_CONFIG.memory : parseSize(memory, "--memory"),
    name: line.get("name") ?? null,
    uuid: line.get("uuid") ?? null,
    cpus: parseInteger(line.get("cpus") ?? "1", "--cpus", 1, 255),
    networks: network === null ? [] : [{ card: network.card, link: NETWORK_NAME, mac: network.mac }],
    // Guests of a pc are other people's systems, which need not find a device that they do not know.
    vsock: isPc(line) && vsock.length === 0 ? null : { cid: GUEST_CID },
    shares: shares.map(({ tag }, i) => ({ tag, tree: String(i) })),
    devices: line.all("device").map((name) => oneOf(name, "device", DEVICE_NAMES) as OptionalDevice),
    clock,
    translation: oneOf(line.get("translation") ?? "auto", "translation", TRANSLATIONS),
    // Repeatable time is of little use with randomness that is not.
    entropySeed: clock === "virtual" ? REPEATABLE_SEED : null,
  };
  checkTyped(config);
  const { files, disks } = board;
  return { config, files, disks, network, vsock, shares, translationCache: translationCache(line, config) };
}

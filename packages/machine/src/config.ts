// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { AHCI_PORTS, MAX_GUEST_CID, MIN_GUEST_CID, SHARE_TAG_LENGTH, XHCI_PORTS_OF_KIND } from "@isola/devices";
import { MAX_CPUS, MAX_RAM } from "@isola/engine";
import type { FlatMode } from "@isola/firmware";
import { type Translation, TRANSLATIONS } from "@isola/isa-x86";

/** Devices that a machine has only if it is asked for them, with a word on what they are for. */
export const OPTIONAL_DEVICES = {
  "isa-debug-exit": "port 0xf4 ends the machine with status (value << 1) | 1",
  "pc-testdev": "interrupt lines, port and memory echoes for hypervisor test suites",
  debugcon: "port 0xe9 writes to the first serial port's output",
} as const;
export type OptionalDevice = keyof typeof OPTIONAL_DEVICES;

/** What runs first. Names refer to the files that the host hands over with the configuration. */
export type BootSource =
  | {
      /** A bzImage, Multiboot or PVH kernel. */
      readonly kind: "kernel";
      readonly kernel: string;
      /** Initial RAM disk, or Multiboot modules. */
      readonly modules: readonly string[];
      readonly commandLine: string;
    }
  | {
      /** A raw binary that is entered at its first byte. */
      readonly kind: "flat";
      readonly file: string;
      readonly address: number;
      readonly mode: FlatMode;
    }
  | {
      /** A BIOS or UEFI, which looks for an operating system on the drives; only on a `pc`. */
      readonly kind: "firmware";
      /** 64 KiB to 16 MiB, in blocks of 4 KiB, that end at 4 GiB. */
      readonly file: string;
      /** Flash below it that firmware keeps variables in; with it, the firmware is in a flash chip as well. */
      readonly nvram: NvramConfig | null;
      /** Expansion ROM of the display, or null for a machine that firmware has to do without. */
      readonly videoRom: string | null;
      /** Kinds of drive in the order in which firmware tries them. */
      readonly order: readonly BootDevice[];
    };

/** Non-volatile memory of firmware: a flash chip. */
export interface NvramConfig {
  /** Names the file with what it holds at first, in blocks of 4 KiB. */
  readonly contents: string;
  /** Names the store of the same size that is to follow it; null if it is forgotten with the machine. */
  readonly store: string | null;
}

/** What firmware can boot from; `disk` is also a virtio disk. */
export const BOOT_DEVICES = ["floppy", "disk", "cdrom", "network"] as const;
export type BootDevice = (typeof BOOT_DEVICES)[number];

/** A disk. `store` names a block store that the host hands over. */
export interface DiskConfig {
  readonly store: string;
  /** Serial number that the guest sees, at most 20 ASCII characters. */
  readonly serial: string;
}

/** Network cards: virtio is the fast one, e1000 (Intel 82540EM) and, before it, rtl8139 are those that old systems know. */
export const CARDS = ["virtio", "e1000", "rtl8139"] as const;
export type Card = (typeof CARDS)[number];

/** Sound cards: an Intel 82801AA with an AC'97 codec. The loudspeaker of a `pc` is there without one. */
export const SOUND_CARDS = ["ac97"] as const;
export type SoundCard = (typeof SOUND_CARDS)[number];

/** A network card. `link` names a network that the host hands over. */
export interface NetworkConfig {
  readonly card: Card;
  readonly link: string;
  /** Six bytes as hexadecimal pairs with colons between them; unicast. */
  readonly mac: string;
}

/** A virtio socket device, by which programs of the host and of the guest talk without a network. */
export interface VsockConfig {
  /** The guest's address, from 3 to 2^32 - 2. It is known in this machine only. */
  readonly cid: number;
}

/** A folder of the host that the guest can mount. `tree` names a tree of files that the host hands over. */
export interface ShareConfig {
  readonly tree: string;
  /** The name by which the guest mounts it: 1 to 36 letters, digits, `.`, `_` and `-`. */
  readonly tag: string;
}

/** A drive on a controller for ATA or ATAPI. `store` names a block store of the host. */
export type DriveConfig =
  | {
      readonly kind: "disk";
      readonly store: string;
      /** Serial number that the guest sees, at most 20 ASCII characters. */
      readonly serial: string;
    }
  /** Null: the drive is empty. */
  | { readonly kind: "cdrom"; readonly store: string | null };

/** A device on the ports of the USB controller. `store` names a block store of the host. */
export type UsbConfig =
  | { readonly kind: "keyboard" }
  /** A pointer that tells where it is. */
  | { readonly kind: "tablet" }
  | ({ readonly kind: "disk" } & DiskConfig);

/** Input devices on virtio: a keyboard, and a pointer that tells where it is. */
export const VIRTIO_INPUTS = ["keyboard", "tablet"] as const;
export type VirtioInputKind = (typeof VIRTIO_INPUTS)[number];

/** A display on virtio, by the size of its monitor in pixels. */
export interface GpuConfig {
  readonly width: number;
  readonly height: number;
}

/** A machine as plain data: everything that is not a live handle of the host. */
export interface MachineConfig {
  /**
   * The kind of board. `microvm`: virtio over PCI, serial ports, no other legacy. `pc`: a 440FX chip set with IDE,
   * floppies, VGA, keyboard and mouse, which starts by its firmware.
   */
  readonly preset: "microvm" | "pc";
  /** Name of the machine for people, which the guest sees as the asset tag of its case; null for none. */
  readonly name: string | null;
  /** What the guest sees as the UUID of its system, in the usual form with dashes; null for none. */
  readonly uuid: string | null;
  /** RAM in bytes, a multiple of 1 MiB. */
  readonly memory: number;
  readonly cpus: number;
  readonly boot: BootSource;
  /** Virtio disks. */
  readonly disks: readonly DiskConfig[];
  /** Disks with an NVMe controller each. */
  readonly nvme: readonly DiskConfig[];
  /** Drives on the ports of an AHCI controller, which is there if there are any. */
  readonly sata: readonly DriveConfig[];
  /** Devices on the ports of an xHCI controller, which is there if there are any. */
  readonly usb: readonly UsbConfig[];
  readonly networks: readonly NetworkConfig[];
  readonly virtioInputs: readonly VirtioInputKind[];
  /** A virtio display, beside the VGA of a `pc`; null for none. */
  readonly gpu: GpuConfig | null;
  /** Bytes of RAM that the guest is asked to get by with, by a balloon; null: no balloon. */
  readonly balloon: number | null;
  readonly vsock: VsockConfig | null;
  readonly shares: readonly ShareConfig[];
  /** Drives on the IDE channels of a `pc`: primary master, primary slave, secondary master, secondary slave. */
  readonly ide: readonly (DriveConfig | null)[];
  /** Stores of the floppies in drives A and B of a `pc`; null for an empty drive. */
  readonly floppies: readonly (string | null)[];
  /** The sound card of a `pc`, or null. */
  readonly sound: SoundCard | null;
  /** 16550 UARTs, 1 to 4. */
  readonly serialPorts: number;
  readonly devices: readonly OptionalDevice[];
  /** `virtual`: time is counted in instructions. With a seed, and without outside input, a run repeats exactly. */
  readonly clock: "wall" | "virtual";
  /** Wall-clock time at which a machine with a virtual clock starts, in ms since 1970. */
  readonly epochMs: number;
  /** With a number, the guest's random bytes follow from it and can be repeated; null for the host's. */
  readonly entropySeed: number | null;
  /** How guest code is executed: interpreted, compiled when it is hot, or compiled at once. Guests cannot tell. */
  readonly translation: Translation;
}

/** What {@link MachineConfig} is where nothing else is said. */
export const DEFAULT_CONFIG = {
  preset: "microvm",
  name: null,
  uuid: null,
  memory: 512 << 20,
  cpus: 1,
  disks: [],
  nvme: [],
  sata: [],
  usb: [],
  networks: [],
  virtioInputs: [],
  gpu: null,
  balloon: null,
  vsock: null,
  shares: [],
  ide: [],
  floppies: [],
  sound: null,
  serialPorts: 1,
  devices: [],
  clock: "wall",
  epochMs: Date.UTC(2024, 0, 1),
  entropySeed: null,
  translation: "auto",
} as const satisfies Omit<MachineConfig, "boot">;

const MIB = 1 << 20;
const MIN_MEMORY = 2 * MIB;
/** Slots 1-31 of the PCI bus, less the one of the entropy device. Network cards take theirs from the end. */
const SLOTS = 30;
export const MAX_DISKS = SLOTS;
export const MAX_NETWORKS = 8;
const MAX_SERIAL_PORTS = 4;
const MAX_IDE_DRIVES = 4;
const MAX_FLOPPIES = 2;
const MIN_SCREEN_WIDTH = 640;
const MIN_SCREEN_HEIGHT = 480;
const MAX_SCREEN = 4095;
/** The chip set and the display of a `pc` have three of the slots. */
const PC_SLOTS = 29;

function need(condition: boolean, code: string, message: string): void {
  if (!condition) throw new OperatorError(code, message);
}

/** The six bytes of a MAC address, or null if the text is none or the address is one of a group. */
export function parseMac(text: string): number[] | null {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return null;
  const bytes = text.split(":").map((pair) => Number.parseInt(pair, 16));
  return (bytes[0] & 1) === 0 ? bytes : null;
}

/** The sixteen bytes of a UUID in the order in which they are written, or null if the text is none. */
export function parseUuid(text: string): Uint8Array | null {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return null;
  const digits = text.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

function checkIdentity({ name, uuid }: MachineConfig): void {
  need(
    name === null || /^[\x20-\x7e]{1,64}$/.test(name),
    "bad-name",
    `"${name ?? ""}" is no name of a machine: give 1 to 64 ASCII characters`,
  );
  need(
    uuid === null || parseUuid(uuid) !== null,
    "bad-uuid",
    `"${uuid ?? ""}" is no UUID, such as 12345678-9abc-4def-8012-3456789abcde`,
  );
}

function checkSerial(serial: string): void {
  need(
    /^[\x20-\x7e]{0,20}$/.test(serial),
    "bad-disk-serial",
    `disk serial "${serial}" is not 0 to 20 ASCII characters`,
  );
}

function checkGpu({ width, height }: GpuConfig): void {
  const fits = (side: number, least: number): boolean => Number.isInteger(side) && side >= least && side <= MAX_SCREEN;
  need(
    fits(width, MIN_SCREEN_WIDTH) && fits(height, MIN_SCREEN_HEIGHT),
    "bad-screen-size",
    `a screen of ${width} by ${height} is not possible: from ${MIN_SCREEN_WIDTH}x${MIN_SCREEN_HEIGHT} to ${MAX_SCREEN}x${MAX_SCREEN}`,
  );
}

/** What only one kind of board has. */
function checkPreset({ preset, boot, ide, floppies, sound }: MachineConfig): void {
  need(preset === "microvm" || preset === "pc", "unknown-preset", `there is no machine "${String(preset)}"`);
  if (preset === "pc") {
    need(boot.kind === "firmware", "wrong-boot-source", "a pc starts by its firmware: boot the kernel in a microvm");
    need(ide.length <= MAX_IDE_DRIVES, "too-many-drives", `a pc has ${MAX_IDE_DRIVES} IDE drives at most`);
    need(floppies.length <= MAX_FLOPPIES, "too-many-floppies", `a pc has ${MAX_FLOPPIES} floppy drives at most`);
    for (const drive of ide) if (drive?.kind === "disk") checkSerial(drive.serial);
    return;
  }
  need(boot.kind !== "firmware", "wrong-boot-source", "a microvm has no firmware: give a kernel, or make a pc");
  need(sound === null, "no-such-device", "a microvm has no sound card: make a pc");
  need(ide.length === 0 && floppies.length === 0, "no-such-drive", "a microvm has no IDE or floppy drives: make a pc");
}

/** Throws OperatorError if no machine can be built from `config`. */
export function checkConfig(config: MachineConfig): void {
  const { memory, cpus, disks, networks, nvme, sata, usb, sound, serialPorts, shares, vsock } = config;
  need(
    Number.isInteger(memory) && memory % MIB === 0 && memory >= MIN_MEMORY && memory <= MAX_RAM,
    "bad-memory-size",
    `memory of ${memory} bytes is not possible: give whole MiB from ${MIN_MEMORY / MIB} to ${MAX_RAM / MIB}`,
  );
  need(
    Number.isInteger(cpus) && cpus >= 1 && cpus <= MAX_CPUS,
    "bad-cpu-count",
    `${cpus} vCPUs are not possible: give 1 to ${MAX_CPUS}`,
  );
  need(
    Number.isInteger(serialPorts) && serialPorts >= 1 && serialPorts <= MAX_SERIAL_PORTS,
    "bad-serial-count",
    `${serialPorts} serial ports are not possible: give 1 to ${MAX_SERIAL_PORTS}`,
  );
  need(
    networks.length <= MAX_NETWORKS,
    "too-many-networks",
    `${networks.length} network cards were given; at most ${MAX_NETWORKS} fit`,
  );
  const slots = config.preset === "pc" ? PC_SLOTS : SLOTS;
  const single = [config.gpu, config.balloon, vsock, sound].filter((device) => device !== null);
  const extras = config.virtioInputs.length + shares.length + single.length;
  const controllers = disks.length + nvme.length + Math.min(sata.length, 1) + Math.min(usb.length, 1) + extras;
  need(
    controllers + networks.length <= slots,
    "too-many-devices",
    `${controllers} disks, controllers and the like and ${networks.length} network cards were given; at most ${slots} devices fit`,
  );
  need(
    vsock === null || (Number.isInteger(vsock.cid) && vsock.cid >= MIN_GUEST_CID && vsock.cid <= MAX_GUEST_CID),
    "bad-vsock-address",
    `${vsock?.cid} is no address for a guest: give one from ${MIN_GUEST_CID} to ${MAX_GUEST_CID}`,
  );
  for (const { tag } of shares)
    need(
      /^[\w.-]+$/.test(tag) && tag.length <= SHARE_TAG_LENGTH,
      "bad-share-tag",
      `"${tag}" is no tag for a shared folder: use 1 to ${SHARE_TAG_LENGTH} letters, digits, ".", "_" and "-"`,
    );
  const twice = shares.find(({ tag }, i) => shares.findIndex((other) => other.tag === tag) !== i);
  need(twice === undefined, "bad-share-tag", `two shared folders have the tag "${twice?.tag}"`);
  need(
    sata.length <= AHCI_PORTS,
    "too-many-drives",
    `${sata.length} drives were given for the AHCI controller; at most ${AHCI_PORTS} fit`,
  );
  const usbDisks = usb.filter(({ kind }) => kind === "disk").length;
  need(
    usbDisks <= XHCI_PORTS_OF_KIND && usb.length - usbDisks <= XHCI_PORTS_OF_KIND,
    "too-many-usb-devices",
    `${usbDisks} USB disks and ${usb.length - usbDisks} other USB devices were given; ${XHCI_PORTS_OF_KIND} of each fit`,
  );
  if (config.gpu !== null) checkGpu(config.gpu);
  const { balloon } = config;
  need(
    balloon === null || (Number.isInteger(balloon) && balloon >= 0 && balloon <= memory),
    "bad-balloon",
    `a balloon cannot leave ${String(balloon)} bytes to a guest with ${memory}`,
  );
  for (const { mac } of networks)
    need(parseMac(mac) !== null, "bad-mac", `"${mac}" is not the address of a network card, such as 52:54:00:12:34:56`);
  need(disks.length <= MAX_DISKS, "too-many-disks", `${disks.length} disks were given; at most ${MAX_DISKS} fit`);
  for (const { serial } of [...disks, ...nvme]) checkSerial(serial);
  for (const device of usb) if (device.kind === "disk") checkSerial(device.serial);
  for (const drive of sata) if (drive.kind === "disk") checkSerial(drive.serial);
  checkPreset(config);
  checkIdentity(config);
  need(
    TRANSLATIONS.includes(config.translation),
    "unknown-translation",
    `there is no translation "${config.translation}"; there are ${TRANSLATIONS.join(", ")}`,
  );
  for (const device of config.devices)
    need(device in OPTIONAL_DEVICES, "unknown-device", `there is no device "${device}"`);
}

// SPDX-License-Identifier: Apache-2.0
import { rm } from "node:fs/promises";
import { OperatorError } from "@isola/base";
import type { ProgressEvent } from "@isola/images";
import { biosImages } from "./bios-images.js";
import { prepareAvx2, prepareBusybox } from "./busybox-guest.js";
import { browser } from "./contenders/browser.js";
import type { Contender } from "./contenders/contender.js";
import { isola, translationDirectory } from "./contenders/isola.js";
import { qemu } from "./contenders/qemu.js";
import { v86 } from "./contenders/v86.js";
import { prepareDebian, preparePrograms, programNames } from "./debian-guest.js";
import type { Architecture, Guest } from "./guest.js";
import { describeHost, hostLoad } from "./host.js";
import { measureGuest } from "./measure.js";
import { prepareIo } from "./io-guest.js";
import type { Options } from "./options.js";
import type { ReportInput } from "./report.js";
import type { GuestResults, Section } from "./results.js";
import { measureSecondStart, type SecondStart } from "./second-start.js";

/** What a run needs of the program around it. */
export interface Setting {
  /** The checkout. */
  readonly root: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** A section, and what it takes to measure it. */
interface Part extends Section {
  readonly prepare: () => Promise<Guest>;
  readonly only: readonly string[];
  readonly bootOnly: boolean;
  readonly scale: number;
}

const TITLES: { readonly [K in Architecture]: string } = { amd64: "64-bit guest", i386: "32-bit guest" };
/** Errors that leave a part out and do not end the run. */
const LEAVES_OUT: readonly string[] = ["WORKLOADS_NOT_BUILT", "PULL_FAILED"];

/** Names each step once; a warning is passed on. */
function progressLines(say: Setting["say"]): (event: ProgressEvent) => void {
  let step = "";
  return (event) => {
    if (event.warning !== undefined) say(`warning: ${event.warning}`);
    else if (event.step !== step && event.step !== "ready") say(`image: ${event.step}`);
    step = event.step;
  };
}

/** What is asked for and can run here; what cannot goes to `skipped`. */
async function chooseContenders(options: Options, { root, signal, say }: Setting, skipped: string[]) {
  const asked: Contender[] = [];
  if (options.isola) asked.push(isola(root, "kept"));
  if (options.isola && options.firstStart) asked.push(isola(root, "off"));
  if (options.browser) asked.push(browser(root));
  if (options.qemu) asked.push(qemu());
  if (options.v86 && options.guests.includes("i386")) {
    asked.push(v86(root, () => biosImages(root, progressLines(say), signal)));
  }
  const present: { contender: Contender; version: string }[] = [];
  for (const contender of asked) {
    const presence = await contender.presence();
    if ("version" in presence) present.push({ contender, version: presence.version });
    else skipped.push(`${contender.name}: ${presence.missing}`);
  }
  return present;
}

/** Workloads with such names are measured on a machine with AVX2. */
const AVX2_PREFIX = "avx2-";

/** Work with such names is done by the guest with disks and a network. */
const IO_NAME = /^(?:disk|net)-/;

/** The parts that the options ask for. Throws OperatorError if none has what --only names. */
export function chooseParts(options: Options, programs: readonly string[], setting: Setting): Part[] {
  const { root, signal, say } = setting;
  const { guests, only, bootOnly, scale, programScale } = options;
  const progress = progressLines(say);
  const onlyPrograms = only.filter((name) => programs.includes(name));
  const onlyAvx2 = only.filter((name) => name.startsWith(AVX2_PREFIX));
  // Which workloads there are is known when a guest has booted.
  const onlyIo = only.filter((name) => IO_NAME.test(name));
  const elsewhere = [...onlyPrograms, ...onlyAvx2, ...onlyIo];
  const onlyWorkloads = only.filter((name) => !elsewhere.includes(name));
  const parts: Part[] = [];
  const shell = { work: "workload", booted: "shell", scale } as const;
  for (const architecture of ["amd64", "i386"] as const) {
    if (!guests.includes(architecture)) continue;
    const prepare = () => prepareBusybox(root, architecture, progress, signal);
    parts.push({ ...shell, title: TITLES[architecture], prepare, only: onlyWorkloads, bootOnly });
  }
  if (guests.includes("amd64") && !bootOnly) {
    const prepare = () => prepareAvx2(root, progress, signal);
    parts.push({ ...shell, title: "64-bit guest with AVX2", prepare, only: onlyAvx2, bootOnly });
  }
  if (guests.includes("io") && !bootOnly) {
    const transfer = { work: "transfer", booted: "shell", scale } as const;
    const prepare = () => prepareIo(root, progress, signal);
    parts.push({ ...transfer, title: "Disk and network", prepare, only: onlyIo, bootOnly });
  }
  if (guests.includes("debian")) {
    const login = { work: "program", booted: "login prompt", scale: programScale } as const;
    const prepare = () => prepareDebian(root, signal);
    parts.push({ ...login, title: "Debian 12", prepare, only: [], bootOnly: true });
    if (!bootOnly) {
      const prepare = () => preparePrograms(root, signal);
      parts.push({ ...login, title: "Programs in Debian 12", prepare, only: onlyPrograms, bootOnly });
    }
  }
  if (only.length === 0) return parts;
  const chosen = parts.filter((part) => part.only.length > 0);
  const left = only.filter((name) => !chosen.some((part) => part.only.includes(name)));
  if (left.length > 0) {
    throw new OperatorError("USAGE", `--only ${left.join(",")}: ${options.guests.join(" and ")} have no such work`);
  }
  return chosen;
}

/** What `action` resolves with; null, and a line in `skipped`, if it fails in a way that only concerns itself. */
async function unlessLeftOut<T>(title: string, skipped: string[], say: Setting["say"], action: () => Promise<T>) {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof OperatorError) || !LEAVES_OUT.includes(error.code)) throw error;
    skipped.push(`${title}: ${error.message}`);
    say(`NOT MEASURED: ${title}: ${error.message}`);
    return null;
  }
}

/** Measures all that the options ask for. */
export async function measureAll(options: Options, setting: Setting): Promise<ReportInput> {
  const { root, signal, say } = setting;
  const skipped: string[] = [];
  const parts = chooseParts(options, await programNames(root), setting);
  const present = await chooseContenders(options, setting, skipped);
  for (const line of skipped) say(`NOT MEASURED: ${line}`);
  if (present.length === 0) throw new OperatorError("NOTHING_TO_MEASURE", "no machine is left to measure");
  await rm(translationDirectory(root), { recursive: true, force: true });
  const date = new Date();
  const host = describeHost();
  const before = hostLoad();
  const guests: GuestResults[] = [];
  for (const part of parts) {
    const guest = await unlessLeftOut(part.title, skipped, say, part.prepare);
    if (guest === null) continue;
    const able = present.flatMap(({ contender }) =>
      contender.architectures.includes(guest.architecture) && !(guest.network && contender.lacksHostIo)
        ? [contender]
        : [],
    );
    const plan = { rounds: options.rounds, scale: part.scale, only: part.only, bootOnly: part.bootOnly, say };
    const { title, work, booted } = part;
    try {
      if (able.length > 0) guests.push(await measureGuest({ title, work, booted }, guest, able, plan));
    } finally {
      await guest.close?.();
    }
  }
  let secondStart: SecondStart | null = null;
  if (options.secondStart) {
    const guest = await unlessLeftOut("Second start", skipped, say, () => prepareDebian(root, signal));
    if (guest !== null)
      secondStart = await measureSecondStart(guest, isola(root, "default"), { rounds: options.rounds, say });
  }
  return {
    date,
    host: host.description,
    processors: host.processors,
    load: [before, hostLoad()],
    rounds: options.rounds,
    scale: options.scale,
    programScale: options.programScale,
    contenders: present.map(({ contender: { name, setup }, version }) => ({ name, setup, version })),
    skipped,
    guests,
    secondStart,
  };
}

// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Check, CheckContext } from "../check.js";
import { CheckFailure, ensureEqual } from "../check.js";
import { IsolaProcess } from "../isola-process.js";
import type { Guest, Stage, Step } from "./guest.js";
import { KEPT } from "./media.js";
import { evidence, lookFor, takePicture } from "./picture.js";
import { emptyRun, type Reached, readRecords, recordRun, type RunRecord, writeRecords } from "./record.js";
import { ScreenText } from "./screen-text.js";
import { guestTable, TABLE } from "./table.js";
import { GuestWorkshop } from "./workshop.js";

/** Between two keys on a screen: firmware polls its keyboard, and its buffer is small. */
const KEY_MILLISECONDS = 30;
const BEGIN_SECONDS = 120;

/** A machine under way, with what a guest's steps need to know of it. */
class Performance {
  private readonly screen: ScreenText | null;
  private readonly machine: IsolaProcess;
  private readonly shot: string;
  private spoken = false;
  /** Draws of the screen that are older than what was typed last. */
  private stale = 0;

  constructor(
    context: CheckContext,
    name: string,
    stage: Stage,
    media: ReadonlyMap<string, string>,
    private readonly reached: Reached,
  ) {
    this.shot = join(context.scratch, `${name}.png`);
    this.screen = stage.console === "screen" ? new ScreenText() : null;
    const isPc = stage.options.includes("pc");
    const args = [
      "run",
      ...stage.options.map((option) => withMedia(option, media)),
      ...(this.screen === null ? [] : ["--display", "text"]),
      ...(isPc ? ["--screenshot", this.shot] : []),
    ];
    const onOutput = (text: string) => {
      this.spoken = true;
      this.screen?.write(text);
    };
    this.machine = new IsolaProcess(context, { name, args, onOutput });
  }

  async perform(step: Step): Promise<void> {
    if ("see" in step) return this.see(step.see, step.quote ?? true, step.seconds);
    if ("type" in step) return this.type(step.type);
    if ("look" in step) {
      await this.begun();
      await lookFor(this.machine, this.shot, step);
      this.reached.seen.push({ where: "screen", text: step.shows });
    } else if ("picture" in step) {
      await this.begun();
      this.reached.pictures.set(`${step.picture}.png`, evidence(await takePicture(this.machine, this.shot)));
    } else if ("ends" in step) {
      const { status, errors } = await this.machine.result(step.seconds);
      ensureEqual(status, step.ends, `the exit status (${errors.trim().split("\n").at(-1)})`);
    } else {
      this.machine.kill();
      await this.machine.result();
    }
  }

  kill(): void {
    this.machine.kill();
  }

  /** A machine that has said something, be it an empty screen, takes signals. */
  private async begun(): Promise<void> {
    await this.machine.until(
      () => (this.spoken ? true : null),
      () => "the machine did not begin",
      BEGIN_SECONDS,
    );
  }

  private async see(pattern: RegExp, quote: boolean, seconds?: number): Promise<void> {
    const screen = this.screen;
    const found =
      screen === null
        ? await this.machine.expect(pattern, seconds)
        : await this.machine.until(
            () => (screen.draws > this.stale ? pattern.exec(String(screen)) : null),
            () => `${pattern} did not appear; the screen shows\n${String(screen)}\n`,
            seconds,
          );
    const text = found[0].replace(/\s+/g, " ").trim();
    if (quote) this.reached.seen.push({ where: screen === null ? "serial" : "screen", text });
  }

  private async type(text: string): Promise<void> {
    if (this.screen === null) return this.machine.send(text);
    for (const key of text) {
      this.stale = this.screen.draws;
      this.machine.send(key);
      await sleep(KEY_MILLISECONDS);
    }
  }
}

function withMedia(option: string, media: ReadonlyMap<string, string>): string {
  return option.replace(/@([\w.-]+)/, (whole, name: string) => {
    const path = media.get(name);
    if (path === undefined) throw new CheckFailure(`a guest's option names ${whole}, which is not among its media`);
    return path;
  });
}

function keepMedium(root: string, path: string, name: string): void {
  const directory = join(root, KEPT);
  mkdirSync(directory, { recursive: true });
  // In one step, so that nobody finds half a medium.
  const copy = join(directory, `${name}.new`);
  copyFileSync(path, copy);
  renameSync(copy, join(directory, name));
}

/**
 * Makes the guest's media and runs its stages. Throws what a check throws.
 * @param reached gets what is seen, as far as it goes
 */
async function runGuest(context: CheckContext, guest: Guest, reached: Reached): Promise<void> {
  const workshop = new GuestWorkshop(context, reached.packages);
  try {
    const media = new Map<string, string>();
    for (const [name, make] of Object.entries(guest.media)) media.set(name, await make(workshop));
    for (const [index, stage] of guest.stages.entries()) {
      if (stage.options.includes("pc")) await workshop.firmware(stage.options.includes("uefi"));
      const name = guest.stages.length === 1 ? guest.id : `${guest.id}-${index + 1}`;
      const performance = new Performance(context, name, stage, media, reached);
      try {
        for (const step of stage.steps) await performance.perform(step);
      } finally {
        performance.kill();
      }
    }
    for (const [name, as] of Object.entries(guest.keeps ?? {})) keepMedium(context.root, media.get(name) ?? "", as);
    for (const { where, text } of reached.seen) context.note(`${where}: ${text}`);
  } finally {
    await workshop.close();
  }
}

/** The guest as one of the boot checks. */
export function guestCheck(guest: Guest): Check {
  return {
    name: guest.id,
    slow: guest.slow ?? false,
    run: (context) => runGuest(context, guest, emptyRun()),
  };
}

/** As {@link guestCheck}; what was reached, be it a failure, goes into the records and onto the page of `all` guests. */
export function recordedCheck(guest: Guest, all: readonly Guest[]): Check {
  return {
    name: guest.id,
    async run(context) {
      const reached = emptyRun();
      try {
        await runGuest(context, guest, reached);
        keep(context.root, all, guest.id, recordRun(context.root, reached));
      } catch (error) {
        if (!(error instanceof CheckFailure)) throw error;
        const failure = error.message.split("\n", 1)[0];
        keep(context.root, all, guest.id, { ...recordRun(context.root, reached), failure });
        throw error;
      }
    },
  };
}

function keep(root: string, all: readonly Guest[], id: string, record: RunRecord): void {
  const ids = all.map((guest) => guest.id);
  const records = writeRecords(root, { ...readRecords(root), [id]: record }, ids);
  writeFileSync(join(root, TABLE), guestTable(all, records));
}

// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { CHROMIUM } from "../../bench/contenders/chromium.js";
import { type CheckContext, CheckFailure, Skip } from "../boot/check.js";

const PATIENCE_MS = 300_000;
const LOOK_MS = 100;
/** What a shell shows when it waits. */
const PROMPT = /# \s*$/;

/** The demo page in Debian's Chromium, as a user has it: what is stored stays from one start of it to the next. */
export class Tab {
  private commands = 0;

  private constructor(
    private readonly browser: BrowserContext,
    readonly page: Page,
    readonly problems: string[],
  ) {}

  /** Opens the page; throws Skip without Chromium. */
  static async open({ scratch }: CheckContext, address: string): Promise<Tab> {
    if (!existsSync(CHROMIUM)) throw new Skip(`${CHROMIUM} is not there (Debian: chromium)`);
    const browser = await chromium.launchPersistentContext(join(scratch, "profile"), {
      executablePath: CHROMIUM,
      // Chromium's sandbox needs privileges that containers do not have; only our own page is ever loaded.
      args: ["--no-sandbox"],
      viewport: { width: 1200, height: 900 },
      acceptDownloads: true,
    });
    const page = browser.pages()[0] ?? (await browser.newPage());
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    await page.goto(address);
    return new Tab(browser, page, problems);
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  /** Chooses a machine and starts it. */
  async start(machine: string): Promise<void> {
    await this.page.locator(`input[value="${machine}"]`).check({ force: true });
    await this.page.locator("#start").click();
  }

  /** What the terminal of the serial port shows. */
  async terminal(): Promise<string> {
    const text = await this.page.evaluate(() => {
      const rows = document.querySelector<HTMLElement>(".xterm-rows");
      return [...(rows?.children ?? [])].map((row) => row.textContent).join("\n");
    });
    return text.replaceAll("\u00a0", " ");
  }

  /** The text mode screen of a `pc`, as the page has it for screen readers. */
  screenText(): Promise<string> {
    return this.page.evaluate(() => document.querySelector("#screen-text")?.textContent ?? "");
  }

  /** Waits until `look` gives something that matches, and returns it. */
  async until(look: () => Promise<string>, pattern: RegExp): Promise<RegExpExecArray> {
    let text = "";
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
      text = await look();
      const match = pattern.exec(text);
      if (match !== null) return match;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    const notices = await this.page.locator("#notices").innerText();
    throw new CheckFailure(`no ${pattern} in the tab; it shows:\n${text}\n${notices}\n${this.problems.join("\n")}`);
  }

  async prompt(): Promise<void> {
    await this.until(() => this.terminal(), PROMPT);
  }

  /** Types a line of shell into the terminal and returns what it printed, which fits on the screen. */
  async run(line: string): Promise<string> {
    const mark = ++this.commands;
    await this.page.locator("#terminal").click();
    // Not as the echo shows it, so that the echo is never taken for the output.
    await this.page.keyboard.type(`clear; echo "<""${mark}<"; ${line}; echo "<""$?>"\n`);
    const found = await this.until(() => this.terminal(), new RegExp(`<${mark}<\\s([^]*?)<(\\d+)>`));
    if (found[2] !== "0") throw new CheckFailure(`"${line}" ended with status ${found[2]}:\n${found[1]}`);
    return (found[1] ?? "").trim();
  }

  /** Opens the page again, as F5 does. */
  async reload(): Promise<void> {
    await this.page.reload();
  }
}

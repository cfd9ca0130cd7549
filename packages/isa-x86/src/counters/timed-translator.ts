// SPDX-License-Identifier: Apache-2.0
import type { HotBlock } from "../compiler/region-former.js";
import { Translator, type TranslatorOptions } from "../compiler/translator.js";

/** Host time in ns, for measuring what the translator takes. */
export interface TranslationTimer {
  now(): number;
  /** Sum of all time that this thread has spent compiling and instantiating modules. */
  moduleTime(): number;
}

/** A translator that knows how long it takes to generate code. */
export class TimedTranslator extends Translator {
  private generation = 0;

  constructor(
    options: TranslatorOptions,
    private readonly timer: TranslationTimer,
  ) {
    super(options);
  }

  /** Host time in ns spent forming regions and generating code, without that of the modules made of it. */
  get generationTime(): number {
    return this.generation;
  }

  override translate(hot: readonly HotBlock[]): void {
    const { timer } = this;
    const start = timer.now();
    const modules = timer.moduleTime();
    super.translate(hot);
    this.generation += timer.now() - start - (timer.moduleTime() - modules);
  }
}

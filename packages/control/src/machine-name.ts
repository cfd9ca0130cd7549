// SPDX-License-Identifier: Apache-2.0
import { randomInt } from "node:crypto";

/** Names become file names, and later parts of web addresses. */
const NAME = /^[a-z0-9][a-z0-9_.-]{0,39}$/;

const QUALITIES =
  "amber brave brisk calm clear cosy crisp deft eager early fair fleet fond frank glad keen kind light lucid mild neat nimble plain proud quick quiet ready sharp sleek smart snug sound spry still sunny swift tidy warm wise witty";
const CREATURES =
  "badger beaver bison crane dove eagle egret falcon ferret finch fox gecko hare heron ibex jay kite koala lark lemur lynx marten mole moose newt otter owl panda plover puffin quail raven robin seal shrew stork swan tapir tern vole wren yak";

function oneOf(words: string): string {
  const list = words.split(" ");
  return list[randomInt(list.length)] ?? "";
}

/** A name that people can read and type, such as `quiet-otter`. */
export function randomMachineName(): string {
  return `${oneOf(QUALITIES)}-${oneOf(CREATURES)}`;
}

/** Whether a machine may have this name: lower-case letters, digits, `-`, `_` and `.`, at most 40 of them. */
export function isMachineName(text: string): boolean {
  return NAME.test(text);
}

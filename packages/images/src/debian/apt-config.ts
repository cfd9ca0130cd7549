// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { NetworkSettings } from "../net/http-client.js";
import { type AptSource, parseDeb822Sources, parseOneLineSources } from "./apt-sources.js";

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

/** Every `deb` source below an apt configuration directory; an unreadable or missing file counts as empty. */
export async function readAptSources(directory = "/etc/apt"): Promise<AptSource[]> {
  const sources = parseOneLineSources(await readText(join(directory, "sources.list")));
  const parts = join(directory, "sources.list.d");
  const names = await readdir(parts).catch(() => []);
  for (const name of names.sort()) {
    if (name.endsWith(".list")) sources.push(...parseOneLineSources(await readText(join(parts, name))));
    else if (name.endsWith(".sources")) sources.push(...parseDeb822Sources(await readText(join(parts, name))));
  }
  return sources;
}

/** The network settings in the text that `apt-config dump` prints. */
export function parseAptNetwork(dump: string): NetworkSettings {
  const value = (key: string): string | undefined => {
    const pattern = new RegExp(`^${key} "([^"]*)";$`, "im");
    return pattern.exec(dump)?.[1] || undefined;
  };
  // "DIRECT" is apt's way to say that there is no proxy, whatever the environment says (apt-transport-http(1)).
  const proxy = (key: string): string | undefined => {
    const found = value(key);
    return found?.toUpperCase() === "DIRECT" ? "" : found;
  };
  const httpProxy = proxy("Acquire::http::Proxy");
  const httpsProxy = proxy("Acquire::https::Proxy") ?? httpProxy;
  const caFile = value("Acquire::https::CAInfo");
  return {
    ...(httpProxy !== undefined ? { httpProxy } : {}),
    ...(httpsProxy !== undefined ? { httpsProxy } : {}),
    ...(caFile ? { caFile } : {}),
  };
}

/** What this system's apt says about proxies and authorities; nothing where there is no apt. */
export function readAptNetwork(): Promise<NetworkSettings> {
  return new Promise((resolve) => {
    execFile("apt-config", ["dump"], { maxBuffer: 1 << 22, env: { ...process.env, LC_ALL: "C" } }, (error, stdout) => {
      resolve(error ? {} : parseAptNetwork(stdout));
    });
  });
}

// SPDX-License-Identifier: Apache-2.0
import { execAgent } from "./exec-agent.js";

/** Where the guest's end of `isola exec` is in images. */
export const AGENT_PATH = "/usr/lib/isola/exec-agent";

/** The agent for an image of that architecture, as Debian calls it; null where there is none. */
export function agentFor(architecture: string): Uint8Array | null {
  return architecture === "amd64" ? execAgent() : null;
}

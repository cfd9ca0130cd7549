// SPDX-License-Identifier: Apache-2.0
import type { KernelModule, KernelPackage } from "../kernel/kernel-package.js";
import { execAgent } from "./exec-agent.js";

/** Where the guest's end of `isola exec` is in images. */
export const AGENT_PATH = "/usr/lib/isola/exec-agent";

/** The agent for an image of that architecture, as Debian calls it; null where there is none. */
export function agentFor(architecture: string): Uint8Array | null {
  return architecture === "amd64" ? execAgent() : null;
}

/**
 * What an image without a disk loads when it is wanted, and not before its shell is there: every module takes a good part
 * of a second of a boot, much of it for its signature.
 */
export interface LateParts {
  readonly agent: Uint8Array | null;
  /** Modules that the agent and shared folders need, in the order in which they are loaded. */
  readonly agentModules: readonly KernelModule[];
  readonly shareModules: readonly KernelModule[];
}

const AGENT_MODULE = "vmw_vsock_virtio_transport";
const SHARE_MODULE = "virtiofs";
/** Without this one there are no devices for any of them. */
const BUS_MODULE = "virtio_pci";

/** The late parts of an image that loads `early` first; modules that its kernel does not have are left out. */
export async function lateParts(
  architecture: string,
  kernel: KernelPackage,
  early: readonly KernelModule[],
): Promise<LateParts> {
  const loaded = new Set(early.map(({ name }) => name));
  const more = async (name: string) =>
    loaded.has(BUS_MODULE) && kernel.modules.has(name)
      ? (await kernel.loadOrder([name])).filter((module) => !loaded.has(module.name))
      : [];
  const agent = agentFor(architecture);
  return {
    agent,
    agentModules: agent === null ? [] : await more(AGENT_MODULE),
    shareModules: await more(SHARE_MODULE),
  };
}

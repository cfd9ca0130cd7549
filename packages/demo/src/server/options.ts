// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import { OperatorError } from "@isola/base";
import { type EgressRule, parseEgressRule } from "@isola/network";

export const HELP = `npm run demo -- [options]
Serves a page on this computer in which machines run in the browser.

  --port N           where the page is served, on 127.0.0.1 (default 8000)
  --machine NAME     offer this machine only; may be given again: debian, busybox, pc
  --egress RULE      what guests may reach: allow=WHERE or deny=WHERE, such as deny=10.0.0.0/8, or default=deny
  --host-loopback    let guests reach servers of this computer, at the gateway's address 10.0.2.2
  --no-network       no network relay: machines in the page have no network
`;

export const MACHINES = ["debian", "busybox", "pc"] as const;
export type MachineName = (typeof MACHINES)[number];
const DEFAULT_PORT = 8000;

export interface DemoOptions {
  readonly help: boolean;
  /** 0 for one that the system chooses. */
  readonly port: number;
  readonly machines: readonly MachineName[];
  readonly network: boolean;
  readonly hostLoopback: boolean;
  readonly egress: readonly EgressRule[];
  readonly allowByDefault: boolean;
}

const usage = (message: string): OperatorError => new OperatorError("usage", message);

function readMachine(name: string): MachineName {
  const known = MACHINES.find((one) => one === name);
  if (known === undefined) throw usage(`--machine: there is no "${name}"; there are ${MACHINES.join(", ")}`);
  return known;
}

function readEgress(texts: readonly string[]): Pick<DemoOptions, "egress" | "allowByDefault"> {
  let allowByDefault = true;
  const egress: EgressRule[] = [];
  for (const text of texts) {
    const [, word, where = ""] = /^(\w+)=(.*)$/.exec(text) ?? [];
    const rule = word === "allow" || word === "deny" ? parseEgressRule(where, word === "allow") : null;
    if (word === "default" && (where === "allow" || where === "deny")) allowByDefault = where === "allow";
    else if (rule !== null) egress.push(rule);
    else throw usage(`--egress: "${text}" is not like deny=10.0.0.0/8, allow=*.example.org:443/tcp or default=deny`);
  }
  return { egress, allowByDefault };
}

/** Reads the command line. Throws OperatorError, code `usage`, for what makes no sense. */
export function readOptions(args: readonly string[]): DemoOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        port: { type: "string", default: String(DEFAULT_PORT) },
        machine: { type: "string", multiple: true, default: [] },
        egress: { type: "string", multiple: true, default: [] },
        "host-loopback": { type: "boolean", default: false },
        network: { type: "boolean", default: true },
      },
    }));
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 0xffff) throw usage(`--port: "${values.port}" is no port`);
  const names = values.machine.map(readMachine);
  return {
    help: values.help,
    port,
    machines: names.length === 0 ? MACHINES : MACHINES.filter((name) => names.includes(name)),
    network: values.network,
    hostLoopback: values["host-loopback"],
    ...readEgress(values.egress),
  };
}

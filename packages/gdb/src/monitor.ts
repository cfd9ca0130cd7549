// SPDX-License-Identifier: Apache-2.0
import type { DebugTarget } from "@isola/ports";

const HELP = `info registers    registers of the current vCPU, hidden parts of segments included
info mem          what its page tables map: start, end, size, rights
info cpus         what the vCPUs are doing
reset             press the reset button
system_powerdown  press the power button: the guest shuts down, once it runs
`;

/** `monitor` commands. Returns what they print. */
export function monitorCommand(target: DebugTarget, vcpu: number, text: string): string {
  const { machine } = target;
  switch (text.trim().split(/\s+/).join(" ")) {
    case "help":
      return HELP;
    case "info registers":
      return `${machine.describeRegisters(vcpu)}\n`;
    case "info mem":
      return `${machine.describeMappings(vcpu)}\n`;
    case "info cpus":
      return Array.from(
        { length: machine.vcpus },
        (_, i) => `${i === vcpu ? "*" : " "} vCPU ${i}: ${machine.vcpuState(i)}\n`,
      ).join("");
    case "reset":
    case "system_reset":
      target.reset();
      return 'the machine is at its beginning; "maintenance flush register-cache" shows it\n';
    case "system_powerdown":
      target.pressPowerButton();
      return "";
    default:
      return `there is no command "${text}"; "monitor help" lists them\n`;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { flattenCounters, type LabelledCounts } from "@isola/base";
import type { MachineStatistics } from "@isola/machine";

export { COUNTER_GROUPS, type MachineStatistics } from "@isola/machine";

/**
 * Statistics as one flat record, for tools that collect numbers: `machine.hostTime`, `vcpu.0.exits.trap`,
 * `disk.1.bytesRead`.
 */
export function flattenStatistics(statistics: MachineStatistics): LabelledCounts {
  const { machine, vcpus, code, compiler, disks, networks, serial } = statistics;
  const each = (part: string, list: readonly Parameters<typeof flattenCounters>[1][]) =>
    list.map((values, i) => flattenCounters(`${part}.${i}`, values));
  return Object.assign(
    {},
    flattenCounters("machine", machine),
    ...each("vcpu", vcpus),
    flattenCounters("code", code),
    flattenCounters("compiler", compiler),
    ...each("disk", disks),
    ...each("network", networks),
    ...each("serial", serial),
  ) as LabelledCounts;
}

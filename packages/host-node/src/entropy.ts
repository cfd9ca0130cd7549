// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from "node:crypto";
import type { Entropy } from "@isola/ports";

/** Random bytes from the host's generator. */
export const hostEntropy: Entropy = { fill: (bytes) => void randomFillSync(bytes) };

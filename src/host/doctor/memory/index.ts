/**
 * Memory and processor: what is there, how it is cut into NUMA nodes, what is reserved for guests, and what the firmware
 * left off. Never here: memory of cards.
 */
import type { Check } from "../check.ts";
import { channels } from "./channels.ts";
import { firmware } from "./firmware.ts";
import { governor } from "./governor.ts";
import { hugepages } from "./hugepages.ts";
import { mainMemory } from "./main-memory.ts";
import { numaLayout } from "./numa-layout.ts";
import { swap } from "./swap.ts";
import { transparentHugepages } from "./transparent-hugepages.ts";

export const MEMORY_CHECKS: readonly Check[] = [
  mainMemory,
  numaLayout,
  hugepages,
  channels,
  firmware,
  swap,
  transparentHugepages,
  governor,
];

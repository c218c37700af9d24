/**
 * Cards: each card of the spec, or each NVIDIA card without one: where it is, who has it, whether it can be reset, handed
 * over and trusted. Never here: moving a card to another driver, which is the GPU switch's.
 */
import type { Check } from "../check.ts";
import { bars } from "./bars.ts";
import { bootVga } from "./boot-vga.ts";
import { boundDriver } from "./bound-driver.ts";
import { configSpace } from "./config-space.ts";
import { earlyBinding } from "./early-binding.ts";
import { link } from "./link.ts";
import { memoryErrors } from "./memory-errors.ts";
import { persistence } from "./persistence.ts";
import { powerLimit } from "./power-limit.ts";
import { powerState } from "./power-state.ts";
import { presence } from "./presence.ts";
import { resetMethod } from "./reset-method.ts";
import { resetSelfTest } from "./reset-self-test.ts";
import { rom } from "./rom.ts";
import { throttle } from "./throttle.ts";
import { xid } from "./xid.ts";

export const CARD_CHECKS: readonly Check[] = [
  presence,
  configSpace,
  boundDriver,
  earlyBinding,
  resetMethod,
  powerState,
  bootVga,
  rom,
  link,
  bars,
  xid,
  memoryErrors,
  throttle,
  powerLimit,
  persistence,
  resetSelfTest,
];

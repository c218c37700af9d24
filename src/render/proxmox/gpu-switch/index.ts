/**
 * `omni-switch`: a POSIX shell script that moves a host's GPUs between their driver and vfio-pci, usable without Omni.
 * The order of its writes is that of the kernel's `driver_override` (Documentation/ABI/testing/sysfs-bus-pci); what it
 * refuses are the ways in which such a move hangs a host. Never here: where the script is installed and who starts it.
 */
import type { Deployment, Host } from "../../../deployment/index.ts";
import { switchCards } from "./cards.ts";
import type { SwitchCards } from "./cards.ts";
import { COMMANDS, MAIN } from "./commands.ts";
import { MOVES } from "./moves.ts";
import { OBSERVE } from "./observe.ts";
import { opening } from "./opening.ts";
import { PREFLIGHT } from "./preflight.ts";
import { USERS } from "./users.ts";
import { WRITES } from "./writes.ts";

/**
 * Text of `omni-switch` for one host, with its cards baked in; mode 0755. Throws `OmniError` `render.unrepresentable` for
 * a PCI address or id that is none, and for a card's name with a NUL character.
 */
export const renderGpuSwitch = (host: Host, deployment: Deployment): string =>
  switchScript(switchCards(host, deployment), host.passthrough?.order ?? ["audio", "video"]);

/** The same for given cards, and the order in which their functions move. */
export const switchScript = (cards: SwitchCards, order: readonly ("audio" | "video")[]): string =>
  switchProgram(cards, order, MAIN);

/** The functions of the script for given cards, with another end that says what is done with them. */
export const switchProgram = (
  { cards, withoutAddress }: SwitchCards,
  order: readonly ("audio" | "video")[],
  end: string,
): string =>
  [opening(cards, withoutAddress, order), OBSERVE, PREFLIGHT, USERS, WRITES, MOVES, COMMANDS, end].join("");

export { switchCards } from "./cards.ts";
export type { SwitchCard, SwitchCards } from "./cards.ts";

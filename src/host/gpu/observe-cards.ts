import { OmniError } from "../../core/index.ts";
import { switchProgram } from "../../render/proxmox/gpu-switch/index.ts";
import type { SwitchCard } from "../../render/proxmox/gpu-switch/index.ts";
import { parseFacts } from "./card-facts.ts";
import type { HostCards } from "./card-facts.ts";
import { FACTS } from "./facts-script.ts";
import { runScript } from "./run-script.ts";
import type { HostTo } from "./run-script.ts";

/** Milliseconds: looking through the open files of some thousand processes. */
const LOOK = 60_000;

/** How the cards of a host stand; changes nothing. Throws `OmniError` `gpu.unreadable`. */
export async function observeCards(host: HostTo, cards: readonly SwitchCard[]): Promise<HostCards> {
  const script = switchProgram({ cards, withoutAddress: [] }, ["audio", "video"], FACTS);
  const { code, stdout, stderr } = await runScript(host, script, [], LOOK);
  if (code !== 0)
    throw new OmniError("gpu.unreadable", `The cards of ${host.name} cannot be read: ${stderr.trim()}`);
  return parseFacts(stdout, host.name);
}

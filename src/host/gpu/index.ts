/**
 * GPU: the cards of a host between its own drivers and vfio-pci. What moves them is the rendered script `omni-switch`,
 * run on the host; here is what stands around it: finding cards, looking at them, consent, and a record of what was there
 * before, from which it is brought back. Never here: the protocol itself (`src/render/proxmox/gpu-switch/`), and where the
 * record is kept.
 */
export { findCards } from "./find-cards.ts";
export { observeCards } from "./observe-cards.ts";
export type { CardFacts, HostCards } from "./card-facts.ts";
export { restoreCards } from "./restore-cards.ts";
export { openSwitch } from "./switch-record.ts";
export type { SwitchRecord } from "./switch-record.ts";
export { bindCards } from "./bind-cards.ts";
export type { HostTo } from "./run-script.ts";

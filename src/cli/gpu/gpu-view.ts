import { formatDuration } from "../../core/index.ts";
import type { CardFacts, HostCards, SwitchRecord } from "../../host/gpu/index.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

/** Prints how the cards of a host stand. */
export function showCards(
  hostName: string,
  { cards, lock }: HostCards,
  open: SwitchRecord | undefined,
  terminal: Terminal,
): void {
  if (cards.length === 0) terminal.out(`No NVIDIA card on the PCI bus of ${hostName}.`);
  for (const card of cards) showCard(card, terminal);
  if (lock?.state === "running") terminal.out(`A switch is at work now (PID ${lock.pid}).`);
  if (lock?.state === "stuck")
    terminal.out(
      `A switch is stuck inside the kernel (PID ${lock.pid}): dmesg; if it stays so, reboot the host.`,
    );
  if (open !== undefined && lock?.state !== "running")
    terminal.out(
      `An unfinished switch to ${open.action}, begun ${formatDuration(Math.max(Date.now() - open.begun, 0))} ago: ./omni gpu restore brings back what was there before.`,
    );
  else if (lock?.state === "dead")
    terminal.out(`A switch (PID ${lock.pid}) ended without tidying up: ./omni gpu restore looks after it.`);
}

function showCard({ name, slot, uuid, functions, users, usersUnknown }: CardFacts, terminal: Terminal): void {
  terminal.out(
    `${terminal.style("bold", name)}  ${slot}${uuid === undefined ? "" : `  ${uuid}`}${functions.some(({ bootVga }) => bootVga) ? "  (the firmware booted with it)" : ""}`,
  );
  const [head, ...rows] = table([
    ["  FUNCTION", "DRIVER", "OVERRIDE", "GROUP", "POWER", "NUMA", "RESET"],
    ...functions.map((one) =>
      one.present
        ? [
            `  ${one.address}`,
            one.driver || "none",
            one.override || "-",
            one.iommuGroup || "none",
            one.powerState || "?",
            one.numaNode || "-",
            one.resetMethods.join(" ") || "-",
          ]
        : [`  ${one.address}`, "not there"],
    ),
  ]).split("\n");
  terminal.out(terminal.style("dim", head ?? ""));
  for (const row of rows) terminal.out(row);
  for (const { address, iommuGroup, siblings } of functions)
    for (const sibling of siblings)
      terminal.out(
        `  IOMMU group ${iommuGroup} of ${address} also has ${sibling.address} (${sibling.driver || "no driver"})`,
      );
  for (const { pid, program, file } of users) terminal.out(`  used by PID ${pid} (${program}): ${file}`);
  if (usersUnknown) terminal.out("  who uses it cannot be seen completely: run as root on the host itself");
}

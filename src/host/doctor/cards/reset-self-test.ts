import type { Check, DoctorSubject, Finding } from "../check.ts";
import { hostParts, isRunning } from "../facts/index.ts";
import type { CardAtHost } from "../facts/index.ts";
import { aboutCard, passedCards } from "./about-card.ts";

const ID = "cards.reset-self-test";
/** Milliseconds; a reset of a card takes about one second, a card that hangs never comes back. */
const PATIENCE = 30_000;

/**
 * Resets the first function of the device in folder $1 and compares configuration and windows before and after. One child
 * does all of it, because a write to `reset` that hangs can be left behind and not be stopped.
 */
export const RESET_SCRIPT = `look() { od -An -v -tx1 -N64 "$1/config" && cat "$1/resource"; }
before=$(look "$1") || exit 3
printf 1 >"$1/reset" || exit 4
after=$(look "$1") || exit 5
case $after in *' ff ff ff ff'*) case $before in *' ff ff ff ff'*) ;; *) exit 7 ;; esac ;; esac
[ "$before" = "$after" ] || exit 6`;

const FAILURES: ReadonlyMap<number, string> = new Map([
  [3, "its configuration cannot be read"],
  [4, "the kernel refused the reset"],
  [5, "its configuration cannot be read after the reset"],
  [6, "its configuration or its windows are not what they were before the reset"],
  [7, "it does not answer after the reset"],
]);

/** One reset of each card that nobody uses, before a passthrough is trusted. Only where it was asked for. */
export const resetSelfTest: Check = {
  id: ID,
  title: "Reset self-test",
  async look(subject): Promise<readonly Finding[]> {
    if (!subject.selfTest) return [];
    const findings: Finding[] = [];
    // One after the other: a reset of one card can disturb its neighbour.
    for (const card of passedCards(subject)) findings.push(await test(subject, card));
    return findings;
  },
};

async function test(subject: DoctorSubject, card: CardAtHost): Promise<Finding> {
  const about = { ...aboutCard(ID, card), source: "Linux Documentation/ABI/testing/sysfs-bus-pci, reset" };
  const against = await objection(subject, card);
  if (against !== undefined)
    return { ...about, state: "unknown", seen: `not tested: ${against.seen}`, remedy: against.remedy };
  const device = `/sys/bus/pci/devices/${card.functions[0]?.address ?? ""}`;
  const said = await subject.view.said(["sh", "-c", RESET_SCRIPT, "sh", device], PATIENCE);
  if (said.ended && said.code === 0)
    return { ...about, state: "ok", seen: "it was reset, and its configuration and windows are as before" };
  const seen = said.ended
    ? (FAILURES.get(said.code ?? 0) ??
      `the test ended with ${said.code ?? "a signal"}: ${said.stderr.trim()}`)
    : said.why === "timeout"
      ? `the reset did not come back within ${PATIENCE / 1000} s`
      : said.message;
  return {
    ...about,
    state: "error",
    seen,
    wanted: "the same configuration before and after",
    why: "A card that does not survive a reset hangs the guest, or the host, when a guest stops.",
    remedy:
      "Switch the power off for a moment; do not hand this card over until a BIOS, VBIOS or kernel update lets it pass.",
  };
}

/** Why this card must not be reset now; `undefined` when it may be. */
async function objection(
  subject: DoctorSubject,
  card: CardAtHost,
): Promise<{ readonly seen: string; readonly remedy: string } | undefined> {
  const other = card.functions.find(({ driver }) => driver !== undefined && driver !== "vfio-pci");
  if (other !== undefined)
    return {
      seen: `${other.address} belongs to ${other.driver ?? ""}`,
      remedy: `./omni gpu bind vfio ${card.name ?? ""}   # then again`,
    };
  if (card.functions.some(({ bootVga }) => bootVga))
    return { seen: "the host shows its screen on it", remedy: "Choose another primary display in the BIOS." };
  if (card.functions.some(({ silent }) => silent))
    return { seen: "it does not answer", remedy: "Switch the power off for a moment." };
  if (card.functions[0]?.resetMethods === undefined)
    return { seen: "the kernel knows no way to reset it", remedy: "Another slot, or a BIOS update." };
  return inUse(subject, card);
}

async function inUse(
  subject: DoctorSubject,
  card: CardAtHost,
): Promise<{ readonly seen: string; readonly remedy: string } | undefined> {
  const vms = (hostParts(subject)?.vms ?? []).filter(({ vm }) =>
    Object.values(vm.hostpci ?? {}).some(({ gpu }) => gpu === card.name),
  );
  for (const { vm } of vms) {
    const running = await isRunning(subject.view, vm.id);
    if (running === undefined)
      return { seen: `qm does not tell whether VM ${vm.id} runs`, remedy: `qm status ${vm.id}` };
    if (running)
      return { seen: `VM ${vm.id} runs and has it`, remedy: `qm shutdown ${vm.id}   # then again` };
  }
  const groups = [...new Set(card.functions.flatMap(({ group }) => group ?? []))];
  const held = await subject.view.said(["fuser", ...groups.map((group) => `/dev/vfio/${group}`)]);
  // It ends with 1 when nobody has any of them open.
  if (held.ended && held.code === 1) return undefined;
  return held.ended && held.code === 0
    ? {
        seen: `processes ${held.stdout.trim()} have /dev/vfio/${groups.join(", ")} open`,
        remedy: "Stop what uses the card.",
      }
    : { seen: "fuser does not tell whether anybody has the card open", remedy: "apt install psmisc" };
}

import { isAtLeast } from "../../../core/version-order.ts";
import type { Check, Finding } from "../check.ts";
import { runningKernel } from "../facts/index.ts";
import type { CardAtHost } from "../facts/index.ts";
import { aboutCard, isBlackwell, passedCards } from "./about-card.ts";

const ID = "cards.reset-method";

/** Whether the kernel knows a way to reset a card that is handed over: a guest must not get what another left in it. */
export const resetMethod: Check = {
  id: ID,
  title: "Reset methods",
  look: (subject): readonly Finding[] =>
    passedCards(subject).map((card) => judge(card, runningKernel(subject.view.root))),
};

function judge(card: CardAtHost, kernel: string | undefined): Finding {
  const about = aboutCard(ID, card);
  const methods = card.functions[0]?.resetMethods;
  if (methods === undefined && !isAtLeast(kernel ?? "0", "5.15"))
    return {
      ...about,
      state: "unknown",
      seen: `kernel ${kernel ?? "?"} does not list reset methods (5.15 and newer do)`,
    };
  if (methods === undefined)
    return {
      ...about,
      state: "error",
      seen: "the kernel knows no way to reset it",
      wanted: "flr, bus or pm",
      why: "After its first guest the card stays as that guest left it; the next start hangs or sees old memory. Passthrough is refused.",
      remedy: "Another slot (below a port of its own), a BIOS update, or leave the card to the host.",
      source: "Linux Documentation/ABI/testing/sysfs-bus-pci, reset_method",
    };
  const seen = methods.join(", ");
  if (!isBlackwell(card) || methods[0] !== "flr") return { ...about, state: "ok", seen };
  return {
    ...about,
    state: "note",
    seen,
    why: "Blackwell cards were seen to hang after a function level reset when a guest stops; then only switching the power off helps.",
    remedy:
      "UEFI firmware in the guest, vfio-pci from boot on, disable_idle_d3=1, a clean shutdown of the guest, and no restart of the VM without need; ./omni doctor --self-test tries one reset.",
    source: "NVIDIA/open-gpu-kernel-modules#853, #1353; CloudRift",
  };
}

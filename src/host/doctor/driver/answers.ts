import type { GpuInventory, ProgramResult } from "../../../inventory/index.ts";
import { pciAddressOf } from "../../../inventory/pci-address.ts";
import type { Check, Finding } from "../check.ts";
import { cardLabel, driverCards } from "../scope.ts";
import { loadedDriver } from "./loaded-driver.ts";
import type { LoadedDriver } from "./loaded-driver.ts";

const ID = "driver.answers";
/** Without persistence mode nvidia-smi needs seconds a card. */
const WAIT = 20_000;

/** The driver is loaded, it and its tools are of one version, and it tells about every card that it is to drive. */
export const driverAnswers: Check = {
  id: ID,
  title: "NVIDIA driver answers",
  look: async (subject) => {
    const cards = driverCards(subject);
    if (cards.length === 0) return [];
    const smi = await subject.view.said(
      ["nvidia-smi", "--query-gpu=name,pci.bus_id", "--format=csv,noheader"],
      WAIT,
    );
    const judged = judge(cards, loadedDriver(subject.view), smi);
    return [{ check: ID, subject: cards.map(cardLabel).join(", "), ...judged }];
  },
};

type Judged = Omit<Finding, "check" | "subject">;

function judge(cards: readonly GpuInventory[], loaded: LoadedDriver | undefined, smi: ProgramResult): Judged {
  const answered = smi.ended && smi.code === 0;
  const bound = cards.some(({ kernelDriver }) => kernelDriver === "nvidia");
  if (loaded === undefined && !bound && !answered) return NOT_LOADED;
  if (!smi.ended) return silent(smi.message, smi.why === "timeout");
  const words = `${smi.stdout}\n${smi.stderr}`.trim();
  if (/version mismatch/i.test(words)) return mismatch(words, loaded?.version);
  const listed = smi.stdout.split("\n").filter((line) => line.includes(","));
  if (!answered || listed.length === 0) return failed(words, loaded);
  const lost = unlisted(cards, listed);
  const missing = Math.max(lost.length, cards.length - listed.length);
  if (missing > 0) return incomplete(cards.length, missing, lost);
  const seen = `${listed.length} of ${cards.length} cards, driver ${loaded?.version ?? "unknown"}`;
  return { state: "ok", seen };
}

/** The cards that no line is about; none where a line tells no address. */
function unlisted(cards: readonly GpuInventory[], listed: readonly string[]): readonly GpuInventory[] {
  const addresses = new Set(listed.map((line) => pciAddressOf(line.split(",").at(-1) ?? "")));
  return addresses.has(undefined) ? [] : cards.filter(({ pci }) => pci !== undefined && !addresses.has(pci));
}

const incomplete = (count: number, missing: number, lost: readonly GpuInventory[]): Judged => ({
  state: "error",
  seen: [
    `nvidia-smi lists ${count - missing} of ${count} cards`,
    ...lost.map((card) => `not ${cardLabel(card)}`),
  ].join(", "),
  wanted: "all of them",
  why: "A card that the driver did not start is lost for every engine until the cause is found.",
  remedy: "dmesg | grep -e NVRM -e Xid",
});

const NOT_LOADED: Judged = {
  state: "error",
  seen: "NVIDIA's kernel module is not loaded",
  wanted: "the driver loaded for these cards",
  why: "No engine can use a card without it.",
  remedy:
    "modprobe nvidia; if there is no such module: apt install nvidia-driver (open kernel modules), then reboot",
};

const silent = (message: string, hung: boolean): Judged => ({
  state: hung ? "error" : "unknown",
  seen: message,
  wanted: "an answer of nvidia-smi",
  why: hung
    ? "A driver that hangs waits for a card that does not answer; processes that ask it cannot be ended any more."
    : "The module is loaded, but there is no nvidia-smi to ask it.",
  remedy: hung
    ? "dmesg | grep -e Xid -e 'fallen off the bus'"
    : "apt install nvidia-smi   # of the same version; Talos: ask in the pod of the device plugin",
});

const mismatch = (words: string, loaded: string | undefined): Judged => {
  const library = /NVML library version:\s*([\d.]+)/.exec(words)?.[1];
  return {
    state: "error",
    seen: `module ${loaded ?? "unknown"} is loaded, the library is ${library ?? "another version"}`,
    wanted: "module and library of one version",
    why: "An upgrade replaced the library under the running module: engines that start now fail, those that run go on.",
    remedy:
      "Reboot when nothing is running. Without one: stop all engines, modprobe -r nvidia_uvm nvidia_drm nvidia_modeset nvidia, modprobe nvidia.",
  };
};

const failed = (words: string, loaded: LoadedDriver | undefined): Judged => ({
  state: "error",
  seen: `nvidia-smi says: ${words.split("\n")[0] ?? "nothing"}`,
  wanted: "a list of the cards",
  why: /no devices/i.test(words)
    ? `The module ${loaded?.flavour ?? ""} is loaded and drives none of them.`.replace("  ", " ")
    : "Engines see what nvidia-smi sees.",
  remedy: "dmesg | grep -e NVRM -e nvidia",
});

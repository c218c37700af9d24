import { cardLabel, driverCards } from "../scope.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { loadedDriver } from "./loaded-driver.ts";

const ID = "driver.answers";
/** Without persistence mode nvidia-smi needs seconds a card. */
const WAIT = 20_000;

/** The driver is loaded, and its tools and it are of one version. */
export const driverAnswers: Check = {
  id: ID,
  title: "NVIDIA driver answers",
  look: async (subject) => {
    const cards = driverCards(subject);
    if (cards.length === 0) return [];
    const loaded = loadedDriver(subject.view);
    const smi = await subject.view.said(
      ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
      WAIT,
    );
    const names = cards.map(cardLabel).join(", ");
    if (loaded === undefined && !(smi.ended && smi.code === 0)) return [notLoaded(names)];
    if (!smi.ended) return [silent(smi.message, smi.why === "timeout")];
    const words = `${smi.stdout}\n${smi.stderr}`.trim();
    if (/version mismatch/i.test(words)) return [mismatch(words, loaded?.version)];
    const listed = smi.stdout.split("\n").filter((line) => line.includes(","));
    if (smi.code !== 0 || listed.length === 0) return [failed(words, subject)];
    if (listed.length < cards.length)
      return [
        {
          check: ID,
          state: "error",
          seen: `nvidia-smi lists ${listed.length} of ${cards.length} cards (${names})`,
          wanted: "all of them",
          why: "A card that the driver did not start is lost for every engine until the cause is found.",
          remedy: "dmesg | grep -e NVRM -e Xid",
        },
      ];
    return [
      {
        check: ID,
        state: "ok",
        seen: `${listed.length} of ${cards.length} cards, driver ${loaded?.version ?? "unknown"}`,
      },
    ];
  },
};

const notLoaded = (names: string): Finding => ({
  check: ID,
  state: "error",
  seen: `NVIDIA's kernel module is not loaded (${names})`,
  wanted: "the driver loaded for these cards",
  why: "No engine can use a card without it.",
  remedy:
    "modprobe nvidia; if there is no such module: apt install nvidia-driver (open kernel modules), then reboot",
});

const silent = (message: string, hung: boolean): Finding => ({
  check: ID,
  state: hung ? "error" : "unknown",
  seen: message,
  wanted: "an answer of nvidia-smi",
  why: hung
    ? "A driver that hangs waits for a card that does not answer; processes that ask it cannot be ended any more."
    : "The module is loaded, but there is no nvidia-smi to ask it.",
  remedy: hung
    ? "dmesg | grep -e Xid -e 'fallen off the bus'"
    : "apt install nvidia-smi   # of the same version",
});

const mismatch = (words: string, loaded: string | undefined): Finding => {
  const library = /NVML library version:\s*([\d.]+)/.exec(words)?.[1];
  return {
    check: ID,
    state: "error",
    seen: `module ${loaded ?? "unknown"} is loaded, the library is ${library ?? "another version"}`,
    wanted: "module and library of one version",
    why: "An upgrade replaced the library under the running module: engines that start now fail, those that run go on.",
    remedy:
      "Reboot when nothing is running. Without one: stop all engines, modprobe -r nvidia_uvm nvidia_drm nvidia_modeset nvidia, modprobe nvidia.",
  };
};

const failed = (words: string, { view }: DoctorSubject): Finding => ({
  check: ID,
  state: "error",
  seen: `nvidia-smi says: ${words.split("\n")[0] ?? "nothing"}`,
  wanted: "a list of the cards",
  why: /no devices/i.test(words)
    ? `The module ${loadedDriver(view)?.flavour ?? ""} is loaded and drives none of them.`.replace("  ", " ")
    : "Engines see what nvidia-smi sees.",
  remedy: "dmesg | grep -e NVRM -e nvidia",
});

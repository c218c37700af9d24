import type { Command } from "../command.ts";
import { JSON_OPTION } from "../command.ts";
import { runGpu } from "../gpu/run-gpu.ts";

export const gpu: Command = {
  name: "gpu",
  summary:
    "Show who has the GPUs of a host, move them to vfio-pci for a VM and back, and undo the last switch.",
  positionals: [
    { name: "ACTION", required: true, completes: "none" },
    { name: "DRIVER", required: false, completes: "none" },
  ],
  options: {
    card: {
      kind: "value",
      placeholder: "CARD",
      repeatable: true,
      about: "A card by its name, address or UUID; all cards when none is given. May be given several times.",
    },
    spec: {
      kind: "value",
      placeholder: "FILE",
      about: "Take the cards of this spec's machine; without it all NVIDIA cards on the host's PCI bus.",
    },
    host: {
      kind: "value",
      placeholder: "HOST",
      about: "A machine of the spec by its name, or ssh://USER@HOST[:PORT]; this machine when absent.",
    },
    "dry-run": { kind: "flag", about: "Say what would be done and touch nothing." },
    yes: { kind: "flag", about: "Agree to what --consent names; nothing asks in between." },
    consent: {
      kind: "value",
      placeholder: "unbind:UUID",
      repeatable: true,
      about: "The very card that may be taken away though it is in use or the host booted with it.",
    },
    json: JSON_OPTION,
  },
  examples: [
    ["gpu status", "drivers, IOMMU groups, power, reset methods and users of every card; changes nothing"],
    ["gpu bind vfio --dry-run", "what moving all cards to vfio-pci would do, and what stands in the way"],
    ["gpu bind vfio --card 0000:f1:00.0", "one card to vfio-pci"],
    ["gpu bind nvidia --host ssh://root@192.168.3.10", "all cards of another host back to its own driver"],
    ["gpu restore", "every function back where it was before the last switch, also after a crash"],
  ],
  run: runGpu,
};

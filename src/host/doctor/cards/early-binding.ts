import { existsSync } from "node:fs";
import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";
import { vfioModules } from "../../../render/proxmox/module-files.ts";
import type { Check, DoctorSubject, Finding, Fix } from "../check.ts";
import {
  canonicalModule,
  configuredBootLines,
  hostParts,
  readModprobeFiles,
  readPciFunction,
} from "../facts/index.ts";
import type { CardAtHost } from "../facts/index.ts";
import type { HostParts } from "../facts/host-parts.ts";
import { aboutCard, passedCards } from "./about-card.ts";

const ID = "cards.early-binding";
const MODULES_FILE = "/etc/modules-load.d/omni-vfio.conf";

/** Whether vfio-pci gets the cards at boot: their ids, who has to wait for it, and that it is loaded. */
export const earlyBinding: Check = {
  id: ID,
  title: "Early binding to vfio-pci",
  async look(subject): Promise<readonly Finding[]> {
    const parts = hostParts(subject);
    if (parts?.bind === undefined) return [];
    const cards = passedCards(subject);
    const modules = modulesLoaded(subject, parts);
    if (parts.bind !== "early" || cards.length === 0) return modules;
    const files = readModprobeFiles(subject.view.root);
    const words = (await configuredBootLines(subject.view)).flatMap(({ words = [] }) =>
      words.map(canonicalModule),
    );
    const ids = new Set(
      [
        ...files.options.filter(({ module }) => module === "vfio_pci").flatMap(({ options }) => options),
        ...words
          .filter((word) => word.startsWith("vfio_pci.ids="))
          .map((word) => word.slice("vfio_pci.".length)),
      ].flatMap((option) => (option.startsWith("ids=") ? option.slice(4).toLowerCase().split(",") : [])),
    );
    const waits = new Set(
      files.softdeps.filter(({ pre }) => pre.includes("vfio_pci")).map(({ module }) => module),
    );
    const blocked = new Set(files.blacklist.map(({ module }) => module));
    return [
      ...cards.map((card) => judge(card, ids, new Set([...waits, ...blocked]))),
      ...strangers(subject, cards, ids),
      ...modules,
    ];
  },
};

function judge(card: CardAtHost, ids: ReadonlySet<string>, patient: ReadonlySet<string>): Finding {
  const about = aboutCard(ID, card);
  const missing = card.functions.filter(({ id }) => !ids.has(id)).map(({ id }) => id);
  const impatient = ["nvidia", "nouveau", "snd_hda_intel"].filter((module) => !patient.has(module));
  if (missing.length === 0 && impatient.length === 0)
    return {
      ...about,
      state: "ok",
      seen: `vfio-pci takes ${card.functions.map(({ id }) => id).join(", ")} at boot`,
    };
  return {
    ...about,
    state: missing.length > 0 ? "error" : "warning",
    seen:
      missing.length > 0
        ? `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not among the ids of vfio-pci`
        : `${impatient.join(", ")} ${impatient.length === 1 ? "does" : "do"} not wait for vfio-pci (softdep)`,
    wanted:
      missing.length > 0
        ? `options vfio-pci ids=${card.functions.map(({ id }) => id).join(",")}`
        : impatient.map((module) => `softdep ${module} pre: vfio-pci`).join("; "),
    why: "Whoever is loaded first has the card, and to take it from the host's driver later is what hangs.",
    remedy: "./omni apply --to metal   # writes modprobe.d and the initramfs; then reboot",
    source: "Proxmox VE qm-pci-passthrough, host device passthrough",
  };
}

/** Ids choose every device that bears them, also one that stays with the host. */
function strangers(
  { view }: DoctorSubject,
  cards: readonly CardAtHost[],
  ids: ReadonlySet<string>,
): readonly Finding[] {
  const slots = new Set(cards.map(({ slot }) => slot));
  return namesIn(`${view.root}sys/bus/pci/devices`)
    .map((address) => readPciFunction(view.root, address))
    .filter(({ id, slot }) => ids.has(id) && !slots.has(slot))
    .map(({ id, address }) => ({
      check: ID,
      subject: address,
      state: "warning" as const,
      seen: `${address} has the id ${id}, which vfio-pci takes at boot, and is no card that is handed over`,
      wanted: "ids of cards that are handed over alone",
      why: "The host loses it at every boot.",
      remedy: "passthrough.bind: switch in omni.yaml, which moves cards by their address",
    }));
}

function modulesLoaded({ view }: DoctorSubject, parts: HostParts): readonly Finding[] {
  const wanted = ["vfio", "vfio_iommu_type1", "vfio_pci"];
  if (!existsSync(`${view.root}etc/modprobe.d`) && !existsSync(`${view.root}etc/modules-load.d`)) return [];
  const files = [
    "etc/modules",
    ...namesIn(`${view.root}etc/modules-load.d`).map((name) => `etc/modules-load.d/${name}`),
  ];
  const lines = files.flatMap((path) => readText(view.root + path).split("\n"));
  const listed = new Set(lines.map((line) => canonicalModule(line.trim())));
  const missing = wanted.filter((name) => !listed.has(name));
  const about = { check: ID, subject: "modules", path: `machines.${parts.host.name}.passthrough` } as const;
  if (missing.length === 0)
    return [{ ...about, state: "ok", seen: `${wanted.join(", ")} are loaded at every boot` }];
  const fix: Fix = {
    title: "Load the vfio modules at every boot.",
    changes: [
      { kind: "write", path: MODULES_FILE, content: vfioModules(parts), mode: 0o644 },
      { kind: "run", argv: ["modprobe", "-a", "vfio", "vfio_iommu_type1", "vfio_pci"], timeout: 30_000 },
    ],
    needsReboot: false,
  };
  return [
    {
      ...about,
      state: "warning",
      seen: `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not loaded at boot`,
      wanted: wanted.join(", "),
      why: "Without vfio-pci nobody can take the cards over.",
      remedy: `./omni doctor --fix   # writes ${MODULES_FILE}`,
      fix,
      source: "Proxmox VE qm-pci-passthrough",
    },
  ];
}

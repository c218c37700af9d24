import type { SpecPath } from "../spec/index.ts";
import { guestsOf } from "./hardware.ts";
import type { Finding, Rule } from "./rule.ts";

const FOLDER = "/usr/share/kvm/";

function check(romFile: string | undefined, at: SpecPath): readonly Finding[] {
  if (romFile === undefined) return [];
  const bare = romFile.slice(romFile.lastIndexOf("/") + 1);
  if (/[,;]/.test(romFile))
    return [
      {
        at,
        message: `${romFile} holds a comma or semicolon, which end the value in a Proxmox VM config (romfile matches [^,;]+).`,
        hint: `romFile: ${bare.replaceAll(/[,;]/g, "-")}   # and rename the file`,
      },
    ];
  if (!romFile.startsWith("/") && !romFile.split("/").includes("..")) return [];
  return [
    {
      at,
      message: `Proxmox puts ${FOLDER} before the name, so it opens ${FOLDER}${romFile}, which is not there; the config is accepted and the VM does not start.`,
      hint: `romFile: ${bare}${romFile === FOLDER + bare ? "" : `   # and cp ${romFile} ${FOLDER}`}`,
    },
  ];
}

/** A ROM file named by a path that Proxmox does not open. */
export const romfilePath: Rule = {
  code: "romfile-path",
  severity: "error",
  source: "Proxmox qemu-server PCI.pm: romfile is looked for under /usr/share/kvm/",
  find: ({ spec }) => [
    ...Object.entries(spec.machines).flatMap(([machine, { gpus = {} }]) =>
      Object.entries(gpus).flatMap(([card, gpu]) =>
        check(gpu.romFile, ["machines", machine, "gpus", card, "romFile"]),
      ),
    ),
    ...guestsOf(spec).flatMap(({ name, guest }) =>
      Object.entries(guest.vm?.hostpci ?? {}).flatMap(([slot, card]) =>
        check(card.romFile, ["guests", name, "vm", "hostpci", slot, "romFile"]),
      ),
    ),
  ],
};

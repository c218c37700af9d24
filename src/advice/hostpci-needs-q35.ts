import { guestsOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";

/** A card shown as PCI Express to a machine that has none. Omni writes q35 where the spec says nothing. */
export const hostpciNeedsQ35: Rule = {
  code: "hostpci-needs-q35",
  severity: "error",
  source: "Proxmox qemu-server PCI.pm: pcie=1 dies without q35",
  find: ({ spec }) =>
    guestsOf(spec).flatMap(({ name, guest }) => {
      const machine = guest.vm?.machine ?? "i440fx";
      if (guest.vm === undefined || /q35/.test(machine)) return [];
      const slots = Object.entries(guest.vm.hostpci ?? {}).filter(([, card]) => card.pcie !== false);
      if (slots.length === 0) return [];
      return [
        {
          at: ["guests", name, "vm", "machine"],
          message: `${slots.map(([slot, card]) => `${slot} (${card.gpu})`).join(", ")}: shown as PCI Express, and ${machine} has only PCI; the VM does not start.`,
          hint: "machine: q35",
        },
      ];
    }),
};

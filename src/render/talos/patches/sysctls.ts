import { yamlDocument } from "../../documents/yaml.ts";
import { finding, NO_PATCH } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

/** `30-sysctls.yaml`: sysctls, every value a text, because Talos refuses numbers. */
export function sysctlsPatch(own: TalosGuest): PatchResult {
  const entries = Object.entries(own.talos.sysctls ?? {});
  if (entries.length === 0) return NO_PATCH;
  return {
    patch: {
      file: "30-sysctls.yaml",
      content: yamlDocument(
        { machine: { sysctls: Object.fromEntries(entries.map(([key, value]) => [key, String(value)])) } },
        `Machine config patch: sysctls. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh. Every value is a text: Talos refuses numbers here.`,
      ),
      reason: `Asked for by guests.${own.name}.talos.sysctls.`,
      scope: "all",
    },
    diagnostics: [],
  };
}

/**
 * `80-hugepages.yaml`: hugepages of a machine that Talos runs on itself. Those under a VM are the host's affair, and pages
 * of 1 GiB are reserved by the kernel's command line, before anything can break the memory up.
 */
export function hugepagesPatch(own: TalosGuest): PatchResult {
  const hugepages = own.host?.memory?.hugepages;
  if (hugepages === undefined || own.guest.vm !== undefined) return NO_PATCH;
  const { size, count } = hugepages;
  if (size === "1GiB") {
    const typed = own.talos.kernelArguments?.arguments ?? [];
    if (typed.some((argument) => /(?:^|\s)hugepages=/.test(argument))) return NO_PATCH;
    return {
      diagnostics: [
        finding(
          own,
          "render.not-applicable",
          "warning",
          "talos.kernelArguments",
          `${count} hugepages of 1 GiB can only be reserved by the kernel's command line, which is part of the image of this guest.`,
          `kernelArguments: [default_hugepagesz=1G, hugepagesz=1G, hugepages=${count}]   # under guest.talos`,
        ),
      ],
    };
  }
  return {
    patch: {
      file: "80-hugepages.yaml",
      content: yamlDocument(
        { machine: { sysctls: { "vm.nr_hugepages": String(count) } } },
        `Machine config patch: ${count} hugepages of 2 MiB. Rendered by Omni from omni.yaml (machine ${own.host?.name ?? own.name}), used by apply.sh. The kubelet counts them when it starts: reboot the node, or restart the kubelet, before pods ask for hugepages-2Mi.`,
      ),
      reason: `Asked for by the machine's memory.hugepages: ${count} pages of 2 MiB.`,
      scope: "all",
    },
    diagnostics: [],
  };
}

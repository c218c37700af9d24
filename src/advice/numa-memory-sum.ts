import { formatBytes, GIB, MIB } from "../core/index.ts";
import type { Spec } from "../spec/index.ts";
import { asTyped } from "./format-amount.ts";
import { guestsOf } from "./hardware.ts";
import type { Finding, Rule } from "./rule.ts";

type Vm = NonNullable<Spec["guests"][string]["vm"]>;

const PAGES = { "1GiB": GIB, "2MiB": 2 * MIB, any: 2 * MIB } as const;

/** Whole units of the page, or of what Proxmox counts memory in. */
const unitOf = ({ hugepages }: Vm): { readonly size: number; readonly name: string } => {
  if (hugepages === undefined) return { size: MIB, name: "the MiB that Proxmox counts in" };
  const pages = hugepages === "1GiB" ? "1 GiB pages" : "2 MiB pages";
  return { size: PAGES[hugepages], name: hugepages === "any" ? `1 GiB or ${pages}` : pages };
};

/** `75GB + 75GB + 75GB + 75GB = 279.40 GiB`. */
function sumText(vm: Vm, parts: readonly number[]): string {
  if (parts.length === 0) return `memory ${asTyped(vm.memory)} = ${formatBytes(vm.memory)}`;
  const total = parts.reduce((sum, part) => sum + part, 0);
  return `${parts.map(asTyped).join(" + ")} = ${formatBytes(total)}`;
}

/** Amounts that would do: what was typed in GB meant in GiB where that is whole, else rounded to the nearest page of 1 GiB. */
function remedy(vm: Vm, nodes: number): string {
  const parts = Math.max(1, nodes);
  const each = vm.memory / parts;
  const meant = each % 1e9 === 0 ? each / 1e9 : Math.max(1, Math.round(each / GIB));
  const memory = `memory: ${meant * parts}GiB`;
  return nodes === 0 ? memory : `${memory}, and memory: ${meant}GiB in each of the ${nodes} NUMA nodes`;
}

function findingOf(name: string, vm: Vm): readonly Finding[] {
  const parts = (vm.numa ?? []).map((node) => node.memory);
  if (parts.length === 0 && vm.hugepages === undefined) return [];
  const unit = unitOf(vm);
  const sum = parts.reduce((total, part) => total + part, 0);
  const uneven = [...parts, vm.memory].filter((amount) => amount % unit.size !== 0);
  const faults = [
    ...(parts.length > 0 && sum !== vm.memory
      ? [
          `the VM has ${formatBytes(vm.memory)}, ${formatBytes(Math.abs(sum - vm.memory))} ${sum < vm.memory ? "more" : "less"}`,
        ]
      : []),
    ...(uneven.length > 0
      ? [
          `${asTyped(uneven[0] ?? 0)} is ${((uneven[0] ?? 0) / unit.size).toFixed(2)} × ${formatBytes(unit.size)}, no multiple of ${unit.name}`,
        ]
      : []),
  ];
  if (faults.length === 0) return [];
  return [
    {
      at: ["guests", name, "vm", parts.length === 0 ? "memory" : "numa"],
      message: `${sumText(vm, parts)}: ${faults.join("; ")}. Proxmox refuses to start the VM.`,
      hint: remedy(vm, parts.length),
    },
  ];
}

/** NUMA nodes of a VM that do not make up its memory, or memory that is no whole number of pages. */
export const numaMemorySum: Rule = {
  code: "numa-memory-sum",
  severity: "error",
  source:
    "Proxmox qemu-server Memory.pm: sum of numaN.memory equals memory, each a multiple of the page size",
  find: ({ spec }) =>
    guestsOf(spec).flatMap(({ name, guest }) => (guest.vm === undefined ? [] : findingOf(name, guest.vm))),
};

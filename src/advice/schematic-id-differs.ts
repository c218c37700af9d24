import { talosCustomization, talosSchematicId } from "../catalog/index.ts";
import type { TalosCustomization } from "../catalog/index.ts";
import type { Spec } from "../spec/index.ts";
import { guestsOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";

type Talos = NonNullable<Spec["guests"][string]["talos"]>;

/** Variants that people end up with, so that the message can say which one the id belongs to. */
function variants(wanted: TalosCustomization, talos: Talos): readonly [string, TalosCustomization][] {
  const { officialExtensions = [] } = wanted;
  return [
    ["an image without anything", {}],
    ["the same list without kernel arguments", { ...wanted, extraKernelArgs: [] }],
    [
      "the same list with the kernel arguments, which the machine config carries here",
      { ...wanted, extraKernelArgs: talos.kernelArguments?.arguments ?? [] },
    ],
    [
      "the same extensions sorted, as the factory's web page does",
      { ...wanted, officialExtensions: officialExtensions.toSorted() },
    ],
  ];
}

const plural = (list: readonly string[] = [], what: string): string =>
  `${list.length} ${what}${list.length === 1 ? "" : "s"}`;

const short = (id: string): string => `${id.slice(0, 8)}…`;

/** A schematic id that is not the hash of what the spec lists. */
export const schematicIdDiffers: Rule = {
  code: "schematic-id-differs",
  severity: "error",
  source:
    "https://github.com/siderolabs/image-factory (pkg/schematic): the id is the SHA-256 of the canonical YAML",
  find: ({ spec }) =>
    guestsOf(spec).flatMap(({ name, guest }) => {
      const { talos } = guest;
      if (talos?.schematic === undefined) return [];
      const wanted = talosCustomization(talos);
      const id = talosSchematicId(wanted);
      if (id === undefined || id === talos.schematic) return [];
      const same = variants(wanted, talos).find(
        ([, customization]) => talosSchematicId(customization) === talos.schematic,
      );
      const counted = `${plural(wanted.officialExtensions, "extension")} and ${plural(wanted.extraKernelArgs, "kernel argument")}`;
      return [
        {
          at: ["guests", name, "talos", "schematic"],
          message: `The ${counted} of this spec, in this order, hash to ${short(id)}; ${short(talos.schematic)} is ${same === undefined ? "the id of another image" : `the id of ${same[0]}`}.`,
          hint: `schematic: ${id}   # or remove the key; it follows from the list`,
        },
      ];
    }),
};

import { createHash } from "node:crypto";
import { talosCustomization, talosSchematicText } from "../../catalog/index.ts";
import type { TalosCustomization } from "../../catalog/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { finding } from "./talos-guest.ts";
import type { TalosGuest } from "./talos-guest.ts";

/** What the image factory is asked for, and the id that it answers with where that is known without asking. */
export interface Schematic {
  readonly text: string;
  /** 64 hex digits; absent where only the factory can tell. */
  readonly id?: string;
  readonly diagnostics: readonly Diagnostic[];
}

const some = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list?.length === 0 ? undefined : list;

/** The same as plain data, for texts whose quoting only go-yaml knows; the factory parses it and answers with the id. */
function asData({ extraKernelArgs, meta, officialExtensions, bootloader }: TalosCustomization): unknown {
  const extensions = some(officialExtensions);
  return {
    customization: {
      extraKernelArgs: some(extraKernelArgs),
      meta: some(meta),
      systemExtensions: extensions === undefined ? undefined : { officialExtensions: extensions },
      bootloader,
    },
  };
}

/**
 * The schematic of a guest. Its id is computed from the text that is rendered, so that `sha256sum schematic.yaml` prints
 * it; where a text would need quotes there is no id, and the finding says that the factory must be asked.
 */
export function schematicOf(own: TalosGuest): Schematic {
  const customization = talosCustomization(own.talos);
  const text = talosSchematicText(customization);
  if (text === undefined) {
    const asked = finding(
      own,
      "render.ask-factory",
      "warning",
      "talos",
      "A kernel argument, META value or extension of this schematic would need quotes in YAML, and the factory's id is a hash over its own way to quote. No id is computed; image names are completed when the factory has answered.",
      `Run talos/${own.name}/schematic-id.sh: it posts schematic.yaml and prints the id.`,
    );
    return { text: yamlDocument(asData(customization)), diagnostics: [asked] };
  }
  const id = createHash("sha256").update(text).digest("hex");
  return { text, id, diagnostics: declared(own, id) };
}

/** The declared id, where it is another one: both in full, and which one is used. */
function declared(own: TalosGuest, id: string): readonly Diagnostic[] {
  const { schematic } = own.talos;
  if (schematic === undefined || schematic === id) return [];
  return [
    finding(
      own,
      "schematic-id-differs",
      "error",
      "talos.schematic",
      `The spec declares ${schematic}; what it lists hashes to ${id}. Images, installer and patches are rendered with the computed one.`,
      `schematic: ${id}   # or remove the key`,
    ),
  ];
}

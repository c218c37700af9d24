import { isTalosExtension, nearestTalosExtension } from "../../catalog/index.ts";
import { guestsOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";

/** Talos extensions are official ones, written with their prefix, and each stands once. */
export const knownExtensions: Rule = ({ spec }, report) => {
  for (const { value: guest, path } of guestsOf(spec)) {
    const extensions = guest.talos?.extensions ?? [];
    extensions.forEach((name, i) => {
      const at = [...path, "talos", "extensions", i];
      if (extensions.indexOf(name) !== i) {
        report({
          code: "spec.duplicate-identity",
          path: at,
          message: `${name} stands in the list twice`,
          hint: "remove one of the two",
        });
      } else if (!isTalosExtension(name)) {
        const near = nearestTalosExtension(name);
        const message = `${name} is no official Talos extension${near === undefined ? "" : `; the nearest is ${near}`}`;
        report({
          code: "spec.unknown-extension",
          path: at,
          message,
          hint: near ?? "https://github.com/siderolabs/extensions lists them",
        });
      }
    });
  }
};

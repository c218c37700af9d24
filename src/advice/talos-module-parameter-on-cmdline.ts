import { guestsOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";
import { talosLoadedParameter } from "./talos-loaded-modules.ts";

/** A parameter on the boot line for a module that Talos loads without reading the boot line. */
export const talosModuleParameterOnCmdline: Rule = {
  code: "talos-module-parameter-on-cmdline",
  severity: "warning",
  source:
    "Talos loads modules with github.com/pmorjan/kmod v1.1.1, which reads modprobe.conf and passed parameters, never /proc/cmdline",
  find: ({ spec }) =>
    guestsOf(spec).flatMap(({ name, guest }) => {
      const { talos } = guest;
      if (talos === undefined) return [];
      const typed = (talos.kernelArguments?.arguments ?? []).flatMap((entry, index) =>
        entry.split(/\s+/).map((argument) => ({ argument, index })),
      );
      return typed.flatMap(({ argument, index }) => {
        const found = talosLoadedParameter(talos, argument);
        if (found === undefined) return [];
        return [
          {
            at: ["guests", name, "talos", "kernelArguments", "arguments", index],
            message: `${argument} has no effect: Talos loads ${found.module} itself, without looking at the boot line, so ${found.parameter} never reaches it.`,
            hint: `modules: { ${found.module}: [${found.parameter}] }   # under guest.talos; takes a reboot`,
          },
        ];
      });
    }),
};

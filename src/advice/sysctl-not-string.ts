import { guestsOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";

/** A sysctl typed as a number, which Talos refuses. */
export const sysctlNotString: Rule = {
  code: "sysctl-not-string",
  severity: "warning",
  source: "Talos v1.12 config.schema.json: values of machine.sysctls are strings",
  find: ({ spec }) =>
    guestsOf(spec).flatMap(({ name, guest }) =>
      Object.entries(guest.talos?.sysctls ?? {}).flatMap(([key, value]) =>
        typeof value === "string"
          ? []
          : [
              {
                at: ["guests", name, "talos", "sysctls", key],
                message: `${key}: ${value} is a number, and the machine config of Talos takes sysctls as texts only; Omni writes "${value}", a config written by hand would be refused.`,
                hint: `${key}: "${value}"`,
              },
            ],
      ),
    ),
};

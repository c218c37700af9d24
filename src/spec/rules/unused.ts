import { findEngineKind } from "../../catalog/index.ts";
import type { Rule } from "./rule.ts";

/** What is defined and never used is more often a slip than a plan; and a spec that serves nothing should say so. */
export const unused: Rule = ({ spec, names, wasFaulty }, report) => {
  const services = Object.values(spec.services ?? {});
  // A faulty service may well use what seems unused.
  const certain = !wasFaulty(["services"]) && !wasFaulty(["gateway"]);
  const warnUnused = (section: "models" | "engines" | "networks", used: readonly string[]): void => {
    const defined = names(section);
    // A misspelt name is reported already; what it should have named is not unused.
    const misspelt = used.some(
      (name) => !defined.includes(name) && (section !== "engines" || findEngineKind(name) === undefined),
    );
    for (const name of misspelt ? [] : defined.filter((known) => !used.includes(known))) {
      report({
        code: "spec.unused",
        severity: "warning",
        path: [section, name],
        message: `no service uses ${name}`,
        hint: "use it in a service, or remove it",
        at: "key",
      });
    }
  };
  if (spec.services !== undefined && certain) {
    warnUnused(
      "models",
      services.flatMap((service) => [service.model ?? [], service.draft?.model ?? []].flat()),
    );
    warnUnused(
      "engines",
      services.flatMap((service) => service.engine ?? []),
    );
    warnUnused("networks", [
      ...services.flatMap((service) => service.networks ?? []),
      ...(spec.gateway?.networks ?? []),
    ]);
  }
  const none = names("services").length === 0 && names("models").length === 0;
  if (none && !wasFaulty(["services"]) && !wasFaulty(["models"])) {
    report({
      code: "spec.nothing-to-serve",
      severity: "warning",
      path: [],
      message: "no service and no model: nothing will be served",
      hint: "models: { chat: ./model.gguf }",
    });
  }
};

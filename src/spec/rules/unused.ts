import type { Rule } from "./rule.ts";

/** What is defined and never used is more often a slip than a plan; and a spec that serves nothing should say so. */
export const unused: Rule = ({ spec, names, wasFaulty }, report) => {
  const services = Object.values(spec.services ?? {});
  // A faulty service may well use what seems unused.
  const certain = !wasFaulty(["services"]) && !wasFaulty(["gateway"]);
  const warn = (section: string, name: string): void =>
    report({
      code: "spec.unused",
      severity: "warning",
      path: [section, name],
      message: `no service uses ${name}`,
      hint: `use it in a service, or remove it`,
      at: "key",
    });
  if (spec.services !== undefined && certain) {
    const models = new Set(services.flatMap((service) => [service.model, service.draft?.model]));
    for (const name of Object.keys(spec.models ?? {})) if (!models.has(name)) warn("models", name);
    const engines = new Set(services.flatMap((service) => service.engine ?? []));
    for (const name of Object.keys(spec.engines ?? {})) if (!engines.has(name)) warn("engines", name);
    const networks = new Set([
      ...services.flatMap((service) => service.networks ?? []),
      ...(spec.gateway?.networks ?? []),
    ]);
    for (const name of Object.keys(spec.networks ?? {})) if (!networks.has(name)) warn("networks", name);
  }
  if (names("services").length === 0 && names("models").length === 0) {
    report({
      code: "spec.nothing-to-serve",
      severity: "warning",
      path: [],
      message: "no service and no model: nothing will be served",
      hint: "models: { chat: ./model.gguf }",
    });
  }
};

import { serviceName } from "../service-name.ts";
import { refer } from "./references.ts";
import type { Rule } from "./rule.ts";

/** Every model, network and service that a service names must exist. */
export const serviceReferences: Rule = ({ spec, names }, report) => {
  const models = names("models");
  const networks = names("networks");
  const own = names("services");
  // Without a section of services each model is one.
  const services = own.length > 0 ? own : names("models").map(serviceName);
  spec.policies?.ladder?.forEach((step, i) => {
    if (step.to !== undefined)
      refer(
        report,
        ["policies", "ladder", i, "to"],
        step.to,
        services,
        "service",
        `services: { ${step.to}: … }`,
      );
  });
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    const at = (...rest: (string | number)[]) => ["services", name, ...rest];
    if (service.model !== undefined)
      refer(
        report,
        at("model"),
        service.model,
        models,
        "model",
        `models: { ${service.model}: ./model.gguf }`,
      );
    if (service.draft !== undefined)
      refer(
        report,
        at("draft", "model"),
        service.draft.model,
        models,
        "model",
        `models: { ${service.draft.model}: ./draft.gguf }`,
      );
    service.networks?.forEach((network, i) =>
      refer(report, at("networks", i), network, networks, "network", `networks: { ${network}: {} }`),
    );
    service.after?.forEach((other, i) =>
      refer(report, at("after", i), other, services, "service", `services: { ${other}: … }`),
    );
    service.ladder?.forEach((step, i) => {
      if (step.to !== undefined)
        refer(report, at("ladder", i, "to"), step.to, services, "service", `services: { ${step.to}: … }`);
    });
  }
};

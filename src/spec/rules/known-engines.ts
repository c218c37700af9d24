import { ENGINE_KINDS, findEngineKind, nearestEngineKind } from "../../catalog/index.ts";
import { nearest } from "../../core/index.ts";
import type { Rule } from "./rule.ts";

const KINDS = ENGINE_KINDS.map((engine) => engine.name).join(", ");

/** The kind of every engine is one that Omni knows, and every engine that a service names is defined or a kind. */
export const knownEngines: Rule = ({ spec, names }, report) => {
  for (const [name, { kind }] of Object.entries(spec.engines ?? {})) {
    if (findEngineKind(kind) !== undefined) continue;
    const near = nearestEngineKind(kind);
    report({
      code: "spec.unknown-engine",
      path: ["engines", name, "kind"],
      message:
        near === undefined
          ? `${kind} is no kind of engine; known: ${KINDS}`
          : `${kind} is no kind of engine; the nearest is ${near}`,
      hint: near ?? KINDS,
    });
  }
  const defined = names("engines");
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    service.engine?.forEach((engine, i) => {
      if (defined.includes(engine) || findEngineKind(engine) !== undefined) return;
      const near = nearest(engine, [...defined, ...ENGINE_KINDS.map((kind) => kind.name)]);
      report({
        code: "spec.unknown-engine",
        path: ["services", name, "engine", i],
        message:
          near === undefined
            ? `no engine is named ${engine}; defined: ${defined.join(", ") || "none"}; kinds: ${KINDS}`
            : `no engine is named ${engine}; the nearest is ${near}`,
        hint: near ?? `engines: { ${engine}: { kind: … } }`,
      });
    });
  }
};

import { findEngineKind } from "../../catalog/index.ts";
import type { ParsedSpec } from "../schema.ts";
import type { SpecPath } from "../../core/spec-path.ts";
import { guestsOf, machinesOf } from "./hardware.ts";
import type { Report, Rule } from "./rule.ts";

const extra = (
  report: Report,
  path: SpecPath,
  message: string,
  hint = `remove ${String(path.at(-1))}`,
): void => report({ code: "spec.conflict", path, message, hint, at: "key" });

/** Keys of a model's source that belong to another kind of source. */
export const sourceConflicts: Rule = ({ spec }, report) => {
  for (const [name, { source }] of Object.entries(spec.models ?? {})) {
    const at = ["models", name, "source"];
    if (source.hub === undefined) {
      for (const key of ["revision", "files", "endpoint", "token", "quantization"] as const) {
        if (source[key] !== undefined) extra(report, [...at, key], `${key} belongs to a hub source`);
      }
    }
    const onDisk = source.disk !== undefined;
    if (source.path !== undefined && !onDisk)
      extra(report, [...at, "path"], "path belongs to a disk source", "disk: NAME");
    if (onDisk && source.path === undefined)
      report({
        code: "spec.missing-key",
        path: [...at, "path"],
        message: "a disk source needs the key path",
        hint: "path: models/…",
        at: "key",
      });
  }
};

/** An engine with an address runs elsewhere and has no image; remote kinds need one, the embedded engine has none. */
export const engineConflicts: Rule = ({ spec, wasFaulty }, report) => {
  for (const [name, engine] of Object.entries(spec.engines ?? {})) {
    const at = ["engines", name];
    const kind = findEngineKind(engine.kind);
    if (kind === undefined) continue;
    const address = engine.url;
    if (kind.name === "embedded" && address !== undefined) {
      extra(
        report,
        [...at, "url"],
        "the embedded engine is part of Omni and has no url",
        "kind: openai   # a remote API",
      );
    } else if (kind.remote || address !== undefined) {
      if (address === undefined && !wasFaulty([...at, "url"]))
        report({
          code: "spec.missing-key",
          path: [...at, "url"],
          message: `${name} needs the key url`,
          hint: "url: https://…/v1",
          at: "key",
        });
      for (const key of ["image", "build", "binary", "architectures"] as const) {
        if (engine[key] !== undefined)
          extra(
            report,
            [...at, key],
            `${key} belongs to an engine that Omni runs, and ${kind.remote ? `${kind.name} is remote` : `${name} has a url and runs elsewhere`}`,
          );
      }
    }
    const made = builtNames(engine.build, spec);
    if (engine.image !== undefined && made.length > 0 && !made.includes(engine.image)) {
      report({
        code: "spec.conflict",
        path: [...at, "image"],
        message: `image ${engine.image} is not the one that build makes (${made.join(" or ")})`,
        hint: `remove image, or image: ${made.at(-1) ?? ""}`,
      });
    }
  }
};

/** Names that a built image goes by: its tag, and behind the address of the registry it is pushed to. */
function builtNames(
  build: NonNullable<ParsedSpec["engines"]>[string]["build"],
  spec: ParsedSpec,
): readonly string[] {
  if (build?.tag === undefined) return [];
  const { tag, push } = build;
  if (push === undefined || push === false) return [tag];
  const registries = guestsOf(spec).flatMap(({ value }) => Object.entries(value.registries ?? {}));
  const pushed = registries
    .filter(([name]) => name === push)
    .map(([, registry]) => `${registry.address}/${tag}`);
  return [tag, ...pushed];
}

/** Ranges whose lower end lies above the upper, and the like. */
export const rangeConflicts: Rule = ({ spec }, report) => {
  const restart = (
    own: { backoffMin?: number | undefined; backoffMax?: number | undefined } | undefined,
    at: SpecPath,
  ): void => {
    if (own?.backoffMin !== undefined && own.backoffMax !== undefined && own.backoffMin > own.backoffMax)
      report({
        code: "spec.conflict",
        path: [...at, "restart", "backoffMin"],
        message: "backoffMin is longer than backoffMax",
        hint: "swap the two",
      });
  };
  restart(spec.policies?.restart, ["policies"]);
  for (const [name, service] of Object.entries(spec.services ?? {}))
    restart(service.restart, ["services", name]);
  for (const [name, route] of Object.entries(spec.routes ?? {})) {
    route.services.forEach((candidate, i) => {
      const tokens = candidate.when?.promptTokens;
      if (tokens?.above !== undefined && tokens.below !== undefined && tokens.above >= tokens.below)
        report({
          code: "spec.conflict",
          path: ["routes", name, "services", i, "when", "promptTokens"],
          message: `no prompt is longer than ${tokens.above} and shorter than ${tokens.below}`,
          hint: "swap the two",
        });
    });
  }
  for (const { value: machine, path } of machinesOf(spec)) {
    const { cores, threads } = machine.cpu ?? {};
    if (cores !== undefined && threads !== undefined && threads < cores) {
      const message = `${threads} threads are fewer than ${cores} cores`;
      report({
        code: "spec.conflict",
        path: [...path, "cpu", "threads"],
        message,
        hint: `threads: ${cores * 2}`,
      });
    }
  }
  for (const { value: guest, path } of guestsOf(spec)) {
    for (const [name, volume] of Object.entries(guest.talos?.userVolumes ?? {})) {
      if (volume.minSize !== undefined && volume.maxSize !== undefined && volume.minSize > volume.maxSize)
        report({
          code: "spec.conflict",
          path: [...path, "talos", "userVolumes", name, "minSize"],
          message: "minSize is more than maxSize",
          hint: "swap the two",
        });
    }
  }
};

/** Networks and tools whose keys contradict each other. */
export const networkAndToolConflicts: Rule = ({ spec }, report) => {
  for (const [name, network] of Object.entries(spec.networks ?? {})) {
    const at = ["networks", name];
    if (network.driver === "host" || network.driver === "none") {
      for (const key of ["subnet", "gateway", "internal", "parent"] as const) {
        if (network[key] !== undefined && network[key] !== false)
          extra(report, [...at, key], `the driver ${network.driver} has no ${key}`);
      }
    }
    if (
      network.parent !== undefined &&
      network.driver !== "macvlan" &&
      network.driver !== "ipvlan" &&
      network.driver !== "host" &&
      network.driver !== "none"
    )
      extra(report, [...at, "parent"], "parent belongs to macvlan and ipvlan", "driver: macvlan");
  }
  for (const [name, tool] of Object.entries(spec.tools ?? {})) {
    if (tool.roots === true && tool.command === undefined && tool.http === undefined)
      extra(report, ["tools", name, "roots"], "Omni's own servers never ask a client for its roots");
    if (tool.command !== undefined) continue;
    for (const key of ["directory", "environment", "instances"] as const) {
      if (tool[key] !== undefined) extra(report, ["tools", name, key], `${key} belongs to a command`);
    }
  }
};

import type { Severity } from "../core/index.ts";
import type { Spec, SpecPath } from "../spec/index.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

interface NamedImage {
  readonly image: string;
  readonly at: SpecPath;
  /** Version that the spec says of the engine in it. */
  readonly version?: string;
}

/** Images that are pulled; one that Omni builds itself is as new as its build. */
function images(spec: Spec): readonly NamedImage[] {
  const engines = Object.entries(spec.engines).flatMap(([name, { image, version, build }]): NamedImage[] => {
    const own = build?.tag;
    const pulled =
      image !== undefined && (own === undefined || !(image === own || image.endsWith(`/${own}`)));
    return [
      ...(pulled
        ? [{ image, at: ["engines", name, "image"], ...(version === undefined ? {} : { version }) }]
        : []),
      ...(build?.base === undefined ? [] : [{ image: build.base, at: ["engines", name, "build", "base"] }]),
    ];
  });
  const module = spec.runbook.commandModule;
  const shell =
    module === undefined || module === false || module.image === undefined
      ? []
      : [{ image: module.image, at: ["runbook", "commandModule", "image"] }];
  return [...engines, ...shell];
}

/** The tag of an image reference; the colon of a registry's port begins none. */
const tagOf = (image: string): string | undefined => /:([\w][\w.-]*)$/.exec(image)?.[1];

/** What moves under the name; nothing for a digest or a tag with a number in it. */
function whyMoving(image: string): string | undefined {
  if (image.includes("@sha256:")) return undefined;
  const tag = tagOf(image);
  if (tag === undefined) return "has no tag, which means :latest";
  if (tag === "latest") return "is whatever was pushed last";
  return /\d/.test(tag)
    ? undefined
    : `has the tag ${tag}, which names no version and moves with every release`;
}

function remedy({ image, version }: NamedImage): string {
  const tag = tagOf(image);
  const name = tag === undefined ? image : image.slice(0, -tag.length - 1);
  if (/(?:^|\/)vllm-openai$/.test(name) && version !== undefined) return `${name}:v${version}`;
  if (/(?:^|\/)ubuntu$/.test(name)) return `${name}:24.04`;
  if (name.endsWith("ggml-org/llama.cpp")) return `${name}:${tag ?? "server-cuda"}-bNNNN   # a build number`;
  return `${name}:${version ?? "VERSION"}, best with @sha256:…`;
}

function findingOf(named: NamedImage, severity: Severity): readonly Finding[] {
  const why = whyMoving(named.image);
  if (why === undefined) return [];
  const tested = named.version === undefined ? "" : `; the spec means version ${named.version}`;
  return [
    {
      at: named.at,
      message: `${named.image} ${why}: the next pull may bring another program than the one that was planned and tested${tested}.`,
      hint: remedy(named),
      severity,
    },
  ];
}

/** An image whose name will mean another program one day. */
export const imageNotPinned: Rule = {
  code: "image-not-pinned",
  severity: "warning",
  source:
    "Kubernetes, Images: avoid :latest; https://github.com/noonghunna/club-3090/pull/188 (llama.cpp:server-cuda broke at b9282)",
  find: ({ spec }: AdviceInput) => {
    if (spec.policies.unpinnedImages === "allow") return [];
    const severity = spec.policies.unpinnedImages === "refuse" ? "error" : "warning";
    return images(spec).flatMap((image) => findingOf(image, severity));
  },
};

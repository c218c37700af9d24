import { OmniError } from "../core/index.ts";

/** The parts of an image's name. */
export interface ImageName {
  /** Host and port as people write it, `docker.io` for none. */
  readonly registry: string;
  readonly repository: string;
  /** What to ask for: a digest if there is one, else the tag, `latest` if there is none. */
  readonly reference: string;
  readonly text: string;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const HOST = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d{1,5})?$/;

/**
 * Takes an image's name apart as Docker does (distribution reference grammar): the first part is a host when it has a
 * dot or a port or is `localhost`. Throws `OmniError` `image.unreachable` when it is no name of an image.
 */
export function parseImageName(text: string): ImageName {
  const [named = "", digest, ...more] = text.split("@");
  const match = /^(.+?)(?::([^:/]+))?$/s.exec(named);
  const path = match?.[1] ?? "";
  const tag = match?.[2];
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  const hasHost = /[.:]/.test(first) || first === "localhost";
  const host = hasHost ? first : "docker.io";
  const rest = hasHost ? path.slice(slash + 1) : path;
  const registry = /^(?:index\.|registry-1\.)?docker\.io$/.test(host) ? "docker.io" : host;
  const repository = registry === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest;
  const valid =
    HOST.test(host) &&
    repository.length <= 255 &&
    repository.split("/").every((component) => COMPONENT.test(component)) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest)) &&
    more.length === 0;
  if (!valid) {
    throw new OmniError("image.unreachable", `${shown(text)} is no name of an image.`, {
      hint: "Write it as registry.example:5000/name:tag or name@sha256:….",
    });
  }
  return { registry, repository, reference: digest ?? tag ?? "latest", text };
}

/** What stands before an `@` that begins no digest may be a password. */
const shown = (text: string): string => JSON.stringify(text.slice(0, 300).replace(/^.*@(?!sha256:)/s, "…@"));

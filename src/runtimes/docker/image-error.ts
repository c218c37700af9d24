import { OmniError } from "../../core/index.ts";

interface Pattern {
  readonly pattern: RegExp;
  readonly means: string;
  readonly hint: (image: string, registry: string) => string;
}

/** What registries say through Docker; the first that fits counts. */
const PATTERNS: readonly Pattern[] = [
  {
    pattern: /toomanyrequests|too many requests|rate limit|\b429\b/i,
    means: "the registry limits how often it is asked",
    hint: (_image, registry) => `Wait, or log in, which raises the limit: docker login ${registry}`,
  },
  {
    pattern: /no matching manifest|does not match the specified platform|exec format/i,
    means: "there is none for this processor",
    hint: () => "Use a tag that is built for this processor.",
  },
  {
    pattern: /manifest.*(?:not found|unknown)|not found: manifest|no such manifest/i,
    means: "the registry has no such tag",
    hint: (image) => `Check the tag: docker manifest inspect ${image}`,
  },
  {
    pattern: /unauthorized|denied|authentication required|no basic auth credentials|\b40[13]\b/i,
    means: "the registry does not show it to this user, or it does not exist",
    hint: (_image, registry) => `Check the name; for a private image: docker login ${registry}`,
  },
  {
    pattern: /not found|name unknown|\b404\b/i,
    means: "there is no such image",
    hint: () => "Check the name; omni render --target images shows how Omni would build it.",
  },
  {
    pattern: /invalid reference format|invalid tag|repository name must be/i,
    means: "that is no name of an image",
    hint: () => "Write it as registry.example:5000/name:tag or name@sha256:….",
  },
  {
    pattern: /server gave HTTP response to HTTPS client/i,
    means: "the registry speaks plain HTTP, which Docker refuses",
    hint: (_image, registry) =>
      `"insecure-registries": ["${registry}"] in /etc/docker/daemon.json, then restart Docker`,
  },
  {
    pattern: /x509|certificate/i,
    means: "the registry's certificate is not trusted",
    hint: (_image, registry) => `Put its authority into /etc/docker/certs.d/${registry}/ca.crt`,
  },
  {
    pattern:
      /no such host|dial tcp|i\/o timeout|connection refused|network is unreachable|TLS handshake timeout/i,
    means: "the registry cannot be reached from Docker's machine",
    hint: () =>
      "Check network, name server and proxy of Docker's machine, or load it: docker load --input FILE.",
  },
];

/** The registry's own words, their meaning and a remedy as OmniError `engine.no-image`, or `engine.no-space`. */
export function imageError(service: string, image: string, words: string): OmniError {
  const said = words.replace(/\.$/, "");
  if (/no space left on device/i.test(words)) {
    return new OmniError(
      "engine.no-space",
      `${service}: the disk filled up while ${image} was pulled: ${said}.`,
      {
        hint: "docker system df shows what Docker keeps; docker image prune --all frees images that no container uses.",
      },
    );
  }
  const found = PATTERNS.find(({ pattern }) => pattern.test(words));
  const means = found === undefined ? "" : `${found.means}: `;
  return new OmniError(
    "engine.no-image",
    `${service}: the image ${image} cannot be pulled: ${means}${said}.`,
    {
      hint: found?.hint(image, registryOf(image)),
    },
  );
}

/** Host of an image's name as Docker reads it; `docker.io` for none. */
export function registryOf(image: string): string {
  const first = image.split("/")[0] ?? "";
  return image.includes("/") && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

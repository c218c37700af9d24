import { isIP } from "node:net";
import { guestsHere } from "../scope.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";

const ID = "network.registries";

/** A registry that images are pulled from or pushed to. */
export interface Registry {
  /** Host and port. */
  readonly address: string;
  readonly insecure: boolean;
  readonly path?: string;
}

/** The registry of an image's name; Docker's own where it names none. */
function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const named = rest.length > 0 && (first.includes(".") || first.includes(":") || first === "localhost");
  return named && first !== "docker.io" ? first : "registry-1.docker.io";
}

/** Registries that the spec names, and those of the images that it runs. */
export function registriesOf(subject: DoctorSubject): readonly Registry[] {
  const named = guestsHere(subject).flatMap(({ name, registries = {} }) =>
    Object.entries(registries).map(([key, { address, insecure }]) => ({
      address,
      insecure: insecure ?? false,
      path: `guests.${name}.registries.${key}`,
    })),
  );
  const { services = [], images = [] } = subject.deployment ?? {};
  const built = new Set(images.map(({ tag }) => tag));
  const used = services.flatMap(({ image, runtime }) =>
    image === undefined || runtime === "process" || built.has(image) ? [] : [registryOf(image)],
  );
  const others = [...new Set(used)].filter((address) => !named.some((one) => one.address === address));
  return [...named, ...others.map((address) => ({ address, insecure: false }))];
}

/** Names that have to be looked up for them. */
export const registryHosts = (registries: readonly Registry[]): readonly string[] =>
  registries.map(({ address }) => address.replace(/:\d+$/, "")).filter((host) => isIP(host) === 0);

/** Registries of the spec answer, over what the spec says: plain HTTP or TLS. */
export const registries: Check = {
  id: ID,
  title: "Image registries",
  look: async (subject) => Promise.all(registriesOf(subject).map((registry) => findingOf(subject, registry))),
};

async function findingOf({ network }: DoctorSubject, registry: Registry): Promise<Finding> {
  const { address, insecure, path } = registry;
  const scheme = insecure ? "http" : "https";
  const other = insecure ? "https" : "http";
  const base = {
    check: ID,
    subject: `registry ${address}`,
    ...(path === undefined ? {} : { path }),
  } as const;
  const answer = await network.ask(`${scheme}://${address}/v2/`);
  // 401 is how a registry asks for a login.
  if (answer.answered && (answer.status < 400 || answer.status === 401))
    return { ...base, state: "ok", seen: `answers ${answer.status} over ${scheme}` };
  const asked = await network.ask(`${other}://${address}/v2/`);
  if (asked.answered && (asked.status < 400 || asked.status === 401))
    return {
      ...base,
      state: "error",
      seen: `speaks ${other === "http" ? "plain HTTP" : "HTTPS"}, and ${scheme} fails: ${answer.answered ? answer.status : answer.message}`,
      wanted: insecure ? "plain HTTP, as insecure: true says" : "HTTPS, because insecure is false",
      why: "Docker and containerd refuse it: server gave HTTP response to HTTPS client.",
      remedy:
        other === "http"
          ? `insecure: true   # and "insecure-registries": [${JSON.stringify(address)}] in daemon.json of whoever pushes`
          : "insecure: false",
    };
  return {
    ...base,
    state: "error",
    seen: answer.answered ? `${scheme}://${address}/v2/ answers ${answer.status}` : answer.message,
    wanted: "a registry (GET /v2/ answers 200 or 401)",
    why: "Images can be neither pushed nor pulled.",
    remedy: `curl -i ${scheme}://${address}/v2/`,
  };
}

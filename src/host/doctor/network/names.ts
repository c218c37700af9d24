import { isIP } from "node:net";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { hubsOf } from "./hubs.ts";
import { factoriesOf } from "./image-factory.ts";
import { registriesOf, registryHosts } from "./registries.ts";

const ID = "network.names";

/** Names of hubs, registries and factories resolve. */
export const nameResolution: Check = {
  id: ID,
  title: "Names resolve",
  look: async (subject) => {
    const names = namesOf(subject);
    const looked = await Promise.all(
      names.map(async (name) => ({ name, found: await subject.network.resolve(name) })),
    );
    const failed = looked.filter(({ found }) => typeof found === "string" || found.length === 0);
    if (failed.length === 0)
      return names.length === 0 ? [] : [{ check: ID, state: "ok", seen: names.join(", ") }];
    if (failed.length === names.length && names.length > 1)
      return [failure(subject, names.join(", "), failed[0]?.found, ALONE)];
    return failed.map(({ name, found }) => failure(subject, name, found, "What is fetched from it fails."));
  },
};

const ALONE = "No name resolves: there is no network, or its name server does not answer.";

const failure = (
  { spec }: DoctorSubject,
  subject: string,
  found: readonly string[] | string | undefined,
  why: string,
): Finding => ({
  check: ID,
  subject,
  state: spec === undefined ? "warning" : "error",
  seen: typeof found === "string" ? found : "no address",
  wanted: "an address",
  why,
  remedy: `resolvectl query ${subject.split(",")[0] ?? subject}; cat /etc/resolv.conf`,
});

function namesOf(subject: DoctorSubject): readonly string[] {
  const urls = [...hubsOf(subject).map(({ endpoint }) => endpoint), ...factoriesOf(subject)];
  const hosts = urls.flatMap((url) => (URL.canParse(url) ? [new URL(url).hostname] : []));
  return [
    ...new Set([...hosts.filter((host) => isIP(host) === 0), ...registryHosts(registriesOf(subject))]),
  ].filter((name) => name !== "localhost");
}

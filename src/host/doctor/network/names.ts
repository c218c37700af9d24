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
    const all = failed.length === names.length && names.length > 1;
    return failed.map(({ name, found }): Finding => ({
      check: ID,
      subject: name,
      state: subject.spec === undefined ? "warning" : "error",
      seen: typeof found === "string" ? found : "no address",
      wanted: "an address",
      why: all
        ? "No name resolves: there is no network, or its name server does not answer."
        : "What is fetched from it fails.",
      remedy: `resolvectl query ${name}; cat /etc/resolv.conf`,
    }));
  },
};

function namesOf(subject: DoctorSubject): readonly string[] {
  const urls = [...hubsOf(subject).map(({ endpoint }) => endpoint), ...factoriesOf(subject)];
  const hosts = urls.flatMap((url) => (URL.canParse(url) ? [new URL(url).hostname] : []));
  return [
    ...new Set([...hosts.filter((host) => isIP(host) === 0), ...registryHosts(registriesOf(subject))]),
  ].filter((name) => name !== "localhost");
}

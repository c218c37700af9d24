import type { Check, DoctorSubject } from "../check.ts";
import { saidText } from "../said.ts";
import { hubsOf, PUBLIC_HUB } from "./hubs.ts";
import { factoriesOf } from "./image-factory.ts";
import { registriesOf } from "./registries.ts";

const ID = "network.clock";
/** Milliseconds. Certificates and tokens are refused long after logs of several machines stop to match. */
const FAR = 60_000;
const BROKEN = 300_000;

/** The clock agrees with that of what answers. */
export const clockSkew: Check = {
  id: ID,
  title: "Clock",
  look: async (subject) => {
    const theirs = await dateOfOthers(subject);
    if (theirs === undefined) return [];
    const off = (await hostTime(subject)) - theirs.time;
    const seconds = Math.round(Math.abs(off) / 1000);
    if (Math.abs(off) < FAR)
      return [{ check: ID, state: "ok", seen: `within ${Math.max(1, seconds)} s of ${theirs.from}` }];
    return [
      {
        check: ID,
        state: Math.abs(off) >= BROKEN ? "error" : "warning",
        seen: `${seconds} s ${off > 0 ? "ahead of" : "behind"} ${theirs.from}`,
        wanted: `within ${FAR / 1000} s`,
        why: "Certificates look expired or not yet valid, tokens are refused, and etcd and logs get out of step.",
        remedy: "timedatectl set-ntp true; chronyc makestep",
      },
    ];
  },
};

/** Over SSH it is the host's clock that counts. */
async function hostTime({ view, now }: DoctorSubject): Promise<number> {
  if (view.kind !== "ssh") return now;
  const seconds = Number((await saidText(view, ["date", "+%s"])) ?? NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : now;
}

/** The first date that a server of the spec, or the public hub, tells. */
async function dateOfOthers(
  subject: DoctorSubject,
): Promise<{ readonly time: number; readonly from: string } | undefined> {
  const registries = registriesOf(subject).map(
    ({ address, insecure }) => `${insecure ? "http" : "https"}://${address}/v2/`,
  );
  const hubs = hubsOf(subject).map(({ endpoint }) => `${endpoint}/api/models?limit=1`);
  const factories = factoriesOf(subject).map((factory) => `${factory}/versions`);
  for (const url of new Set([...hubs, ...factories, ...registries, PUBLIC_HUB])) {
    const answer = await subject.network.ask(url, { timeout: 5000 });
    const time = answer.answered ? Date.parse(answer.headers["date"] ?? "") : NaN;
    if (Number.isFinite(time)) return { time, from: new URL(url).host };
  }
  return undefined;
}

import { makePlan } from "../../../../src/cli/make-plan.ts";
import { deploy } from "../../../../src/deployment/index.ts";
import { CLUSTER_CHECKS } from "../../../../src/host/doctor/cluster/index.ts";
import { CONTAINER_CHECKS } from "../../../../src/host/doctor/containers/index.ts";
import { DISK_CHECKS } from "../../../../src/host/doctor/disks/index.ts";
import { DRIVER_CHECKS } from "../../../../src/host/doctor/driver/index.ts";
import { NETWORK_CHECKS } from "../../../../src/host/doctor/network/index.ts";
import type { ClusterView, DoctorSubject, Finding, NetworkView } from "../../../../src/host/doctor/check.ts";
import { runDoctor } from "../../../../src/host/doctor/run-doctor.ts";
import { locatedSpec } from "../../../fakes/located-spec.ts";
import { recordedView } from "../../../fakes/recorded-host.ts";
import type { Recording, RecordedView } from "../../../fakes/recorded-host.ts";

const CHECKS = [...DISK_CHECKS, ...DRIVER_CHECKS, ...CONTAINER_CHECKS, ...CLUSTER_CHECKS, ...NETWORK_CHECKS];

/** Status of an answer, or the words of why there is none. */
type Answer = number | string;

/** A recorded host, the spec beside it, and what network and cluster answer. */
export interface Situation extends Recording {
  /** Without its first line. */
  readonly spec?: string;
  /** By URL, with the query left out; all others answer 200. */
  readonly answers?: Readonly<
    Record<string, Answer | ((headers: Readonly<Record<string, string>>) => Answer)>
  >;
  /** Names that do not resolve, with the resolver's words; `*` for all. */
  readonly unresolved?: Readonly<Record<string, string>>;
  /** Date that servers tell, milliseconds since the epoch; that of the recording when absent. */
  readonly serverTime?: number;
  /** By path of the API; a number is a status. No cluster answers where absent. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Everything that the checks above the metal find. */
export async function findingsOf(situation: Situation): Promise<readonly Finding[]> {
  using view = await recordedView(situation);
  const subject: DoctorSubject = {
    view,
    network: networkOf(situation, view.now),
    now: view.now,
    selfTest: false,
    secret: ({ env = "" }) => Promise.resolve(situation.secrets?.[env]),
    ...(situation.cluster === undefined ? {} : { cluster: clusterOf(situation.cluster) }),
    ...(await specParts(situation.spec, view)),
  };
  return (await runDoctor(subject, CHECKS)).findings;
}

async function specParts(
  text: string | undefined,
  { machine }: RecordedView,
): Promise<Pick<DoctorSubject, "spec" | "deployment" | "host">> {
  if (text === undefined) return {};
  const located = locatedSpec(text);
  const { spec, typed } = located;
  const plan = await makePlan(located, { online: false, observed: machine });
  const deployment = deploy({ spec, plan, typed, omniVersion: "0.0.0" });
  const [host] = deployment.hosts;
  return { spec, deployment, ...(host === undefined ? {} : { host }) };
}

function networkOf({ answers = {}, unresolved = {}, serverTime }: Situation, now: number): NetworkView {
  return {
    ask: (url, options) => {
      const known = answers[url.replace(/\?.*$/, "")] ?? answers["*"] ?? 200;
      const answer = typeof known === "function" ? known(options?.headers ?? {}) : known;
      if (typeof answer === "string") return Promise.resolve({ answered: false, message: answer });
      const headers = { date: new Date(serverTime ?? now).toUTCString() };
      return Promise.resolve({ answered: true, status: answer, headers, milliseconds: 42 });
    },
    resolve: (name) => Promise.resolve(unresolved[name] ?? unresolved["*"] ?? ["192.0.2.1"]),
    listens: () => Promise.resolve(false),
  };
}

const clusterOf = (objects: Readonly<Record<string, unknown>>): ClusterView => ({
  name: "admin@prime",
  get: (path) => {
    const body = objects[path];
    if (typeof body === "number")
      return Promise.resolve({ answered: false, status: body, message: "refused" });
    return Promise.resolve(
      body === undefined ? { answered: false, status: 404, message: "not found" } : { answered: true, body },
    );
  },
});

/** What is not as it should be: `error disks.mounted /srv/models`. */
export const troubles = (findings: readonly Finding[]): readonly string[] =>
  findings
    .filter(({ state }) => state !== "ok")
    .map(({ state, check, subject }) =>
      [state, check, ...(subject === undefined ? [] : [subject])].join(" "),
    );

/** The finding of a check that is not `ok`. Throws when there is none. */
export function troubleOf(findings: readonly Finding[], check: string): Finding {
  const found = findings.find((finding) => finding.check === check && finding.state !== "ok");
  if (found === undefined) throw new Error(`${check} finds nothing wrong`);
  return found;
}

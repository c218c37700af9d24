import { CHECKS, isNamed, liveNetwork, runDoctor } from "../../host/doctor/index.ts";
import type { DoctorReport, DoctorSubject } from "../../host/doctor/index.ts";
import type { HostTransport } from "../../host/index.ts";
import { localView, sshView } from "../../host/view/index.ts";
import { readSecretOf } from "../node-spec.ts";
import { clusterView } from "./cluster-view.ts";
import type { DoctorHost } from "./doctor-hosts.ts";
import type { DoctorSpec } from "./doctor-spec.ts";

export interface LookOptions {
  readonly only: readonly string[];
  readonly selfTest: boolean;
  /** Whether the network is looked at from here with this host: once is enough for all. */
  readonly network: boolean;
}

/** Looks at one host with fresh eyes. Throws `OmniError` `host.*` where it cannot be reached. */
export async function lookAtHost(
  host: DoctorHost,
  transport: HostTransport,
  spec: DoctorSpec | undefined,
  { only, selfTest, network }: LookOptions,
): Promise<DoctorReport> {
  const view = transport.kind === "local" ? await localView() : await sshView(transport);
  try {
    const subject: DoctorSubject = {
      view,
      network: liveNetwork(),
      now: Date.now(),
      selfTest,
      ...specParts(spec),
      ...(host.machine === undefined ? {} : { host: host.machine }),
    };
    const checks = network ? CHECKS : CHECKS.filter((check) => !isNamed(check, ["network"]));
    return await runDoctor(subject, checks, { only });
  } finally {
    view.dispose();
  }
}

type SpecParts = Pick<DoctorSubject, "spec" | "deployment" | "cluster" | "secret">;

function specParts(given: DoctorSpec | undefined): SpecParts {
  if (given === undefined) return { secret: (reference) => readSecretOf(reference, process.cwd()) };
  const { located, deployment } = given;
  const { spec, folder } = located;
  return {
    spec,
    ...(deployment === undefined ? {} : { deployment }),
    ...((deployment?.clusters.length ?? 0) > 0 ? { cluster: clusterView(spec, folder) } : {}),
    secret: (reference) => readSecretOf(reference, folder),
  };
}

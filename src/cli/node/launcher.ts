import { join } from "node:path";
import { findEngineKind } from "../../catalog/index.ts";
import type { Address, LocalAddress } from "../../core/index.ts";
import { OmniError } from "../../core/index.ts";
import { embeddedCommand } from "../../engines/index.ts";
import type { LaunchSpec } from "../../engines/engine.ts";
import type { Plan, PlannedService } from "../../plan/plan.ts";
import type { Launcher, Prepared } from "../../supervisor/launcher.ts";
import type { LocatedSpec } from "../node-spec.ts";
import type { CardIdentity } from "./card-identities.ts";
import { launchDigest } from "./launch-digest.ts";
import { prepareRemote } from "./remote-engine.ts";

/** Turns a launch into one of a simulated engine; given where a node is simulated. */
export type Simulate = (launch: LaunchSpec, kind: string, service: PlannedService) => LaunchSpec;

export interface LauncherInput {
  readonly located: LocatedSpec;
  /** The plan that services are part of: who is on a card beside them decides about sharing. */
  readonly plan: () => Plan;
  readonly cards: ReadonlyMap<string, CardIdentity>;
  /** Folder for files that engines read at their start. */
  readonly stateFolder: string;
  readonly simulate?: Simulate;
}

/** Stands for the address in a digest: an engine that listens elsewhere is the same engine. */
const ANYWHERE: LocalAddress = { kind: "tcp", host: "127.0.0.1", port: 1 };

/** How services of a plan are started: by the embedded engine's own command, by a deployment, or as a remote address. */
export function createLauncher(input: LauncherInput): Launcher {
  return {
    async prepare(service, plan): Promise<Prepared> {
      const engine = input.located.spec.engines[service.engine.name];
      const kind = findEngineKind(service.engine.kind ?? service.engine.name)?.name ?? service.engine.name;
      const remote = engine?.url !== undefined || findEngineKind(kind)?.remote === true;
      const prepared = remote
        ? await prepareRemote(service, kind, input.located, input.simulate !== undefined)
        : kind === "embedded"
          ? prepareEmbedded(service)
          : await prepareDeployed(service, kind, plan === undefined ? input : { ...input, plan: () => plan });
      return input.simulate === undefined ? prepared : simulated(prepared, service, input.simulate);
    },
  };
}

function prepareEmbedded(service: PlannedService): Prepared {
  const { name, loadTimeout } = service;
  const digest = launchDigest({
    service: name,
    command: embeddedCommand(service, ANYWHERE),
    loadTimeout,
    variables: {},
  });
  return {
    kind: "embedded",
    runtime: "process",
    target: { servedName: service.model.name },
    digest,
    launch: (address) => ({
      service: name,
      command: embeddedCommand(service, local(address)),
      environment: {},
      address,
      loadTimeout,
      digest,
    }),
  };
}

/** Every engine that runs here as a process, a container or a pod. */
async function prepareDeployed(
  service: PlannedService,
  kind: string,
  input: LauncherInput,
): Promise<Prepared> {
  // Deployment and renderers are loaded by nodes that need them: they would double the start of one that does not.
  const { deployedLaunch } = await import("./deployed-launch.ts");
  return deployedLaunch(service, kind, {
    ...input,
    folder: join(input.stateFolder, "engines", service.name),
  });
}

/** The same service with its engine simulated: a process of this machine, whatever it was planned to run on. */
function simulated(prepared: Prepared, service: PlannedService, simulate: Simulate): Prepared {
  const digest = launchDigest({
    service: service.name,
    command: ["simulated", prepared.digest],
    loadTimeout: service.loadTimeout,
    variables: {},
  });
  const { port: _port, address: _address, ...rest } = prepared;
  return {
    ...rest,
    kind: prepared.kind === "embedded" ? "llama.cpp" : prepared.kind,
    runtime: "process",
    digest,
    launch: (address) => ({
      ...simulate({ ...prepared.launch(address), address }, prepared.kind, service),
      address,
      digest,
    }),
  };
}

/** An engine of this machine listens on this machine. */
export function local(address: Address): LocalAddress {
  if (address.kind !== "url") return address;
  throw new OmniError("cli.internal", "An engine of this machine was given an address elsewhere.");
}

import type { Deployment } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { ComposeDraft } from "./compose-draft.ts";
import type { ComposeFile, ComposeService } from "./compose-file.ts";
import { gatewayService } from "./gateway.ts";
import { networksOf } from "./networks.ts";
import type { ComposePlace } from "./place.ts";
import { findReachability } from "./reachability.ts";
import { serviceOf } from "./service.ts";
import { topologyOf } from "./topology.ts";
import type { Topology } from "./topology.ts";

/** A written compose file with what other files of the folder are made from. */
export interface ComposeYaml {
  readonly artifact: Artifact;
  readonly draft: ComposeDraft;
  readonly topology: Topology;
}

/** The compose file of a place. */
export function composeYaml(deployment: Deployment, place: ComposePlace): ComposeYaml {
  const draft = new ComposeDraft();
  const { services, gatewayName, folder, withGateway } = place;
  const topology = topologyOf(deployment, services, withGateway, draft);
  const gateway: [string, ComposeService][] = withGateway
    ? [[gatewayName, gatewayService(deployment, topology, place, draft)]]
    : [];
  const engines = services.map((service): [string, ComposeService] => [
    service.name,
    serviceOf(service, topology.of(service), place, deployment, draft),
  ]);
  const networks = networksOf(deployment, topology, draft);
  findReachability(deployment, services, topology, draft);
  const file: ComposeFile = {
    name: deployment.docker.project,
    services: Object.fromEntries([...gateway, ...engines]),
    ...(Object.keys(networks).length === 0 ? {} : { networks }),
    ...(draft.volumes.size === 0
      ? {}
      : { volumes: Object.fromEntries([...draft.volumes].map((volume) => [volume, {}])) }),
    ...(draft.secrets.length === 0
      ? {}
      : { secrets: Object.fromEntries(draft.secrets.map(({ name, path }) => [name, { file: path }])) }),
  };
  return {
    artifact: {
      path: `${folder}/compose.yaml`,
      content: yamlDocument(file, headerOf(deployment, place), draft.notes),
      mode: 0o644,
      reason: `asked for by runtime: docker of ${services.map(({ name }) => name).join(", ")}`,
    },
    draft,
    topology,
  };
}

const headerOf = ({ name }: Deployment, { machine, folder }: ComposePlace): string =>
  [
    `The engines of ${name}${folder === "compose" ? "" : ` on ${machine ?? "any machine"}`} as containers, rendered by Omni from omni.yaml: change that and render again.`,
    "Use: docker compose up -d --wait   (in this folder; README.md says what must be there first)",
    "A dollar is written as two: Compose makes one of them, and puts variables of .env where ${NAME} stands.",
  ].join("\n");

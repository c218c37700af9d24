/**
 * Target `compose`: the services with `runtime: docker` as a Compose project, with Omni's gateway as the only container
 * that publishes a port and the only one that may stand on isolated and open networks at once. One file a machine.
 */
import type { Diagnostic } from "../../core/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import type { Artifact, Target } from "../artifact.ts";
import { isTriton, tritonRepository } from "../triton-repository/index.ts";
import { composeYaml } from "./compose-yaml.ts";
import { envExample } from "./env-example.ts";
import { gatewaySpec, gatewayWorkflows } from "./gateway.ts";
import { placesOf } from "./place.ts";
import type { ComposePlace } from "./place.ts";
import { composeReadme } from "./readme.ts";

export const compose: Target = {
  name: "compose",
  about: "Docker Compose: engines on their cards, networks, and the gateway as the only way in.",
  wanted: (deployment) => deployment.services.some(({ runtime }) => runtime === "docker"),
  render(deployment) {
    const parts = placesOf(deployment).map((place) => folderOf(deployment, place));
    return {
      artifacts: parts.flatMap(({ artifacts }) => artifacts),
      diagnostics: [...parts.flatMap(({ diagnostics }) => diagnostics), ...wholeFindings(deployment)],
    };
  },
};

function folderOf(
  deployment: Deployment,
  place: ComposePlace,
): { readonly artifacts: readonly Artifact[]; readonly diagnostics: readonly Diagnostic[] } {
  const { artifact, draft, topology } = composeYaml(deployment, place);
  return {
    artifacts: [
      artifact,
      ...(place.withGateway
        ? [gatewaySpec(deployment, place, topology), ...gatewayWorkflows(deployment, place)]
        : []),
      ...envExample(place, draft),
      ...repositories(place),
      composeReadme(deployment, place, topology, draft),
    ],
    diagnostics: [...draft.diagnostics, ...refusals(place)],
  };
}

const repositories = ({ folder, services }: ComposePlace): readonly Artifact[] =>
  services.filter(isTriton).flatMap((service) =>
    tritonRepository(service).map(({ path, content }) => ({
      path: `${folder}/triton/${service.name}/${path}`,
      content,
      mode: 0o644,
      reason: `asked for by services.${service.name}: Triton reads its model repository from there`,
    })),
  );

const refusals = ({ services }: ComposePlace): readonly Diagnostic[] =>
  services.flatMap(({ name, refused }) =>
    refused === undefined
      ? []
      : [
          {
            code: "render.refused-service" as const,
            severity: "warning" as const,
            path: `services.${name}`,
            message: `${name} is in compose.yaml as written, under the profile refused, and does not start by itself: ${refused.reason}`,
            hint: refused.hint,
          },
        ],
  );

const wholeFindings = ({ commandModule, runtime }: Deployment): readonly Diagnostic[] =>
  commandModule === undefined || runtime !== "docker"
    ? []
    : [
        {
          code: "render.not-applicable",
          severity: "note",
          path: "runbook.commandModule",
          message:
            "The command module is a pod of Kubernetes; on Docker the node's own shell does what it is for.",
          hint: "docker compose exec NAME sh   # a shell beside an engine",
        },
      ];

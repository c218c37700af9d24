import type { DeployedCard, DeployedService, Deployment, Environment } from "../../deployment/index.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposeService } from "./compose-file.ts";

/** Keys that give a container its cards, and variables for the way by environment. */
export interface ContainerGpus {
  readonly keys: Pick<ComposeService, "deploy" | "devices" | "runtime">;
  readonly environment: Environment;
}

/**
 * The cards of a service by UUID, in the order of its plan; a container sees no other. One without cards is told so:
 * images of CUDA carry NVIDIA_VISIBLE_DEVICES=all, which opens every card where nvidia is the default runtime.
 */
export function gpusOf(service: DeployedService, deployment: Deployment, draft: ComposeDraft): ContainerGpus {
  const path = ["services", service.name];
  if (service.cards.length === 0) {
    draft.note(
      [...path, "environment", "NVIDIA_VISIBLE_DEVICES"],
      "No card: images of CUDA ask for all of them.",
    );
    return { keys: {}, environment: { NVIDIA_VISIBLE_DEVICES: "void" } };
  }
  const ids = service.cards.map((card) => idOf(card, service, deployment, draft));
  const names = `Cards ${service.cards.map(({ name, model }) => `${name} (${model})`).join(", ")}`;
  switch (deployment.docker.gpus) {
    case "cdi":
      draft.note(
        [...path, "devices"],
        `${names} by CDI: Docker 28.3, or 25 with its feature cdi; nvidia-ctk cdi list shows them.`,
      );
      return { keys: { devices: ids.map((id) => `nvidia.com/gpu=${id}`) }, environment: {} };
    case "environment":
      draft.note(
        [...path, "runtime"],
        `${names} by environment: needs the runtime nvidia of the NVIDIA container toolkit.`,
      );
      return {
        keys: { runtime: "nvidia" },
        environment: { NVIDIA_VISIBLE_DEVICES: ids.join(","), NVIDIA_DRIVER_CAPABILITIES: "compute,utility" },
      };
    case "device-requests":
      draft.note([...path, "deploy"], `${names} and no other.${unstable(service)}`);
      return {
        keys: {
          deploy: {
            resources: {
              reservations: {
                devices: [{ driver: "nvidia", device_ids: ids, capabilities: ["gpu"] }],
              },
            },
          },
        },
        environment: {},
      };
  }
}

const unstable = ({ cards }: DeployedService): string =>
  cards.some(({ uuid, index }) => uuid === undefined && index !== undefined)
    ? " An index can change at a boot or when a card is taken out; a UUID in omni.yaml does not."
    : "";

/** UUID, or index, or a variable that the owner sets: without an id Docker would hand out some other card. */
function idOf(
  card: DeployedCard,
  service: DeployedService,
  deployment: Deployment,
  draft: ComposeDraft,
): string {
  if (card.uuid !== undefined) return card.uuid;
  const several = deployment.hosts.length > 1;
  const place = `machines.${card.machine}.gpus.${card.name}`;
  if (card.index !== undefined) {
    draft.find({
      code: "render.needs-value",
      severity: "warning",
      path: `${place}.uuid`,
      message: `${service.name} is given ${card.name} by its index ${card.index}, which can change at a boot or when a card is taken out.`,
      hint: "uuid: GPU-…   # nvidia-smi -L",
    });
    return String(card.index);
  }
  const variable = `OMNI_GPU_${[...(several ? [card.machine] : []), card.name].join("_")}`
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, "_");
  draft.find({
    code: "render.needs-value",
    severity: "warning",
    path: `${place}.uuid`,
    message: `Nothing tells Docker which card ${card.name} (${card.model}) of ${service.name} is: compose.yaml asks for ${variable} and starts nothing without it.`,
    hint: "uuid: GPU-…   # nvidia-smi -L",
  });
  return draft.variable(variable, {
    at: `${place}.uuid`,
    why: `UUID of the card ${card.name} (${card.model}) as nvidia-smi -L prints it; better in omni.yaml`,
    optional: service.refused !== undefined,
  });
}

import type { Diagnostic } from "../../core/index.ts";
import { healthScript } from "../documents/health-script.ts";
import type { Deployment } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { composeText } from "../escape/compose.ts";
import { isFileSecret } from "./compose-draft.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposeMount, ComposeSecretMount, ComposeService } from "./compose-file.ts";
import { labelsOf } from "./networks.ts";
import { addressOf, NODE_NAME } from "./place.ts";
import type { ComposePlace } from "./place.ts";
import { gatewayPort } from "./ports.ts";
import { composeDuration } from "./quantity.ts";
import { attachmentKeys, loggingOf } from "./service.ts";
import type { Attachment, Topology } from "./topology.ts";

/** Where the gateway finds its spec, and where it keeps its state. */
const SPEC = "/etc/omni/omni.yaml";
const STATE = "/var/lib/omni";
/** Named volume of the state. */
const STATE_VOLUME = "omni-state";
/** What Omni needs beyond the longest drain of an engine to close its store. */
const CLOSING = 10_000;

/** Omni's gateway: the one service that publishes a port, and the only one on isolated networks and open ones at once. */
export function gatewayService(
  deployment: Deployment,
  topology: Topology,
  place: ComposePlace,
  draft: ComposeDraft,
): ComposeService {
  const { gateway } = deployment;
  const attachment: Attachment = topology.gateway ?? { networks: [] };
  const asksNode = deployment.services.some((one) =>
    addressOf(one, place, topology, deployment).includes(NODE_NAME),
  );
  const path = ["services", place.gatewayName];
  draft.note(path, "Omni's gateway: the only way in to the engines, one endpoint for all of them.");
  draft.note(
    [...path, "ports"],
    "Engines publish none. Another address than 127.0.0.1 needs keys: gateway.host and keys in omni.yaml.",
  );
  if (deployment.gateway.config(() => "")["keys"] === undefined) findKeyless(draft);
  draft.volumes.add(STATE_VOLUME);
  const { environment, secrets } = secretsOf(deployment, draft);
  const drain = Math.max(30_000, ...place.services.map(({ drainTimeout }) => drainTimeout));
  return {
    image: composeText(gateway.image, "gateway"),
    command: ["up", SPEC],
    init: true,
    restart: "unless-stopped",
    stop_grace_period: composeDuration(drain + CLOSING),
    environment: { OMNI_STATE: STATE, ...environment },
    ...(secrets.length === 0 ? {} : { secrets }),
    ...attachmentKeys(attachment),
    ...(attachment.mode === undefined
      ? {
          ...(asksNode ? { extra_hosts: [`${NODE_NAME}:host-gateway`] } : {}),
          ports: [gatewayPort(deployment, draft)],
        }
      : {}),
    volumes: mountsOf(deployment, draft),
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    read_only: true,
    tmpfs: ["/tmp"],
    healthcheck: {
      test: ["CMD", "node", "-e", healthScript(gateway.port, gateway.tls)],
      interval: "10s",
      timeout: "5s",
      retries: 3,
      start_period: "1m",
    },
    logging: loggingOf(deployment),
    labels: {
      "org.omni.deployment": composeText(deployment.name, "name"),
      "org.omni.service": place.gatewayName,
      ...labelsOf(deployment.docker.labels, "runtime.docker.labels"),
    },
  };
}

/** In its container it listens on all addresses, which Omni does with keys only. */
const findKeyless = (draft: ComposeDraft): void =>
  draft.find({
    code: "render.needs-value",
    severity: "warning",
    path: "keys",
    message:
      "The gateway listens on all addresses of its container, because Docker publishes from there, and Omni refuses that without a key: its container will say so and end.",
    hint: "keys: { me: { env: OMNI_KEY } }",
  });

/** Secrets by variable under the names that its spec asks for, and by file at the very paths that it names. */
function secretsOf(
  { gateway }: Deployment,
  draft: ComposeDraft,
): { readonly environment: Record<string, string>; readonly secrets: readonly ComposeSecretMount[] } {
  const environment: Record<string, string> = {};
  const secrets: ComposeSecretMount[] = [];
  for (const reference of gateway.secrets) {
    if (isFileSecret(reference)) {
      if (!isWhole(reference.file)) {
        draft.find(partialPath("keys", reference.file));
        continue;
      }
      const at = `the secret in ${reference.file}`;
      secrets.push({ source: draft.secretFile(reference.file, at), target: composeText(reference.file, at) });
    } else {
      const name = reference.env ?? "";
      environment[name] = draft.variable(name, { at: "gateway", why: "Omni's gateway", optional: false });
    }
  }
  return { environment, secrets };
}

const isWhole = (path: string): boolean => path.startsWith("/");

/** A container has no home, and its spec lies in another folder than the owner's. */
const partialPath = (at: string, path: string): Diagnostic => ({
  code: "render.needs-value",
  severity: "error",
  path: at,
  message: `${path} does not begin at the root, and a container has neither a home nor the folder of omni.yaml: it is not mounted into the gateway's, which does not find it.`,
  hint: at === "tools" ? "Write the whole path of the node." : "Write a whole path, or name a variable: env.",
});

function mountsOf({ gateway }: Deployment, draft: ComposeDraft): readonly ComposeMount[] {
  const partial = gateway.folders.filter(({ path }) => !isWhole(path));
  for (const { path } of partial) draft.find(partialPath("tools", path));
  return [
    ...ownMounts(),
    ...workflowMount(gateway),
    ...gateway.folders.filter(({ path }) => isWhole(path)).map(folderMount),
  ];
}

const ownMounts = (): readonly ComposeMount[] => [
  {
    type: "bind",
    source: "./gateway/omni.yaml",
    target: SPEC,
    read_only: true,
    bind: { create_host_path: false },
  },
  { type: "volume", source: STATE_VOLUME, target: STATE },
];

const workflowMount = ({ files }: Deployment["gateway"]): readonly ComposeMount[] =>
  files.length === 0
    ? []
    : [
        {
          type: "bind",
          source: "./gateway/workflows",
          target: "/etc/omni/workflows",
          read_only: true,
          bind: { create_host_path: false },
        },
      ];

const folderMount = ({ path, writable }: Deployment["gateway"]["folders"][number]): ComposeMount => ({
  type: "bind",
  source: composeText(path, "tools"),
  target: composeText(path, "tools"),
  ...(writable ? {} : { read_only: true }),
  bind: { create_host_path: false },
});

/** The gateway's own spec, every engine by its address on a common network. */
export const gatewaySpec = (deployment: Deployment, place: ComposePlace, topology: Topology): Artifact => ({
  path: `${place.folder}/gateway/omni.yaml`,
  content: yamlDocument(
    deployment.gateway.config((service) => addressOf(service, place, topology, deployment)),
    "What Omni's gateway runs in its container, rendered by Omni from omni.yaml; compose.yaml mounts it at /etc/omni/omni.yaml.\nThe engines are services of compose.yaml, so here they are remote ones, by the names that Docker's name server knows.",
  ),
  mode: 0o644,
  reason: "asked for by the gateway, which finds its engines by it",
});

/** Templates of images, at the paths that the gateway's spec names relative to itself. */
export const gatewayWorkflows = ({ gateway }: Deployment, { folder }: ComposePlace): readonly Artifact[] =>
  gateway.files.map(({ path, content }) => ({
    path: `${folder}/gateway/${path}`,
    content,
    mode: 0o644,
    reason: "asked for by workflows of services: the gateway makes images by it",
  }));

import type { DeployedService, Deployment } from "../../deployment/index.ts";
import { composeText } from "../escape/compose.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposeDependency, ComposeService } from "./compose-file.ts";
import { commandOf, environmentOf } from "./environment.ts";
import { gpusOf } from "./gpus.ts";
import { healthcheckOf } from "./healthcheck.ts";
import { limitsOf, withReservations } from "./limits.ts";
import { mountsOf } from "./mounts.ts";
import { headline, isHeldBack, profilesOf } from "./headline.ts";
import { labelsOf } from "./networks.ts";
import type { ComposePlace } from "./place.ts";
import { servicePorts } from "./ports.ts";
import { composeBytes, composeDuration } from "./quantity.ts";
import { isSealed, networkNamed } from "./topology.ts";
import type { Attachment } from "./topology.ts";

/** Engines whose death can look like a success. */
const EXITS_CLEAN = new Set(["vllm", "triton-vllm"]);

/** One engine as a service of a compose file, with its comments and findings in the draft. */
export function serviceOf(
  service: DeployedService,
  attachment: Attachment,
  place: ComposePlace,
  deployment: Deployment,
  draft: ComposeDraft,
): ComposeService {
  const { name, refused } = service;
  draft.note(["services", name], headline(service, place.services));
  const gpus = gpusOf(service, deployment, draft);
  const environment = environmentOf(
    [service.start.environment, gpus.environment, service.environment],
    draft,
    { at: `services.${name}.environment`, who: `service ${name}`, optional: refused !== undefined },
  );
  const ports = servicePorts(service, place, deployment, draft);
  const volumes = mountsOf(service, draft);
  const depends = dependenciesOf(service, place, draft);
  notApplicable(service, draft);
  if (EXITS_CLEAN.has(service.kind))
    draft.note(
      ["services", name, "restart"],
      "Not on-failure: vLLM ends with exit code 0 when its engine dies after it was ready (vllm-project/vllm#48966).",
    );
  return {
    image: imageOf(service, draft),
    ...profilesOf(service),
    ...commandOf(service, environment),
    ...(gpus.keys.runtime === undefined ? {} : { runtime: gpus.keys.runtime }),
    init: true,
    restart: "unless-stopped",
    stop_grace_period: composeDuration(service.drainTimeout),
    ...(Object.keys(depends).length === 0 ? {} : { depends_on: depends }),
    environment: environment.environment,
    ...(environment.secrets.length === 0 ? {} : { secrets: environment.secrets }),
    ...attachmentKeys(attachment),
    ...namesOf(service, attachment, deployment, draft),
    ...(ports.length === 0 || attachment.mode !== undefined ? {} : { ports }),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(gpus.keys.devices === undefined ? {} : { devices: gpus.keys.devices }),
    ...withReservations(limitsOf(service, draft), gpus.keys.deploy),
    healthcheck: healthcheckOf(service),
    logging: loggingOf(deployment),
    labels: {
      "org.omni.deployment": composeText(deployment.name, "name"),
      "org.omni.service": service.replicaOf ?? name,
      "org.omni.engine": composeText(service.kind, `services.${name}.engine`),
      ...labelsOf(deployment.docker.labels, "runtime.docker.labels"),
      ...labelsOf(service.labels, `services.${name}.labels`),
    },
  };
}

export const attachmentKeys = ({
  mode,
  networks,
}: Attachment): Pick<ComposeService, "network_mode" | "networks"> =>
  mode === undefined ? { networks } : { network_mode: mode };

/**
 * A container without a way out asks nobody for names. Docker itself knows those of its networks; it asks others at the
 * name server of the node, which is a way out for data, on engines before 25.0.5 (CVE-2024-29018). Nobody answers at the
 * container's own loopback.
 */
function namesOf(
  { name }: DeployedService,
  { networks }: Attachment,
  deployment: Deployment,
  draft: ComposeDraft,
): Pick<ComposeService, "dns"> {
  if (networks.length === 0 || !networks.every((one) => isSealed(networkNamed(deployment, one)))) return {};
  draft.note(
    ["services", name, "dns"],
    "Nobody answers there. Docker knows the names of its own networks; older engines carry questions for all others out through the node (CVE-2024-29018).",
  );
  return { dns: ["127.0.0.1"] };
}

/** Docker's log files are bounded as the telemetry's logs are; without a bound they grow until the disk is full. */
export function loggingOf({ telemetry }: Deployment): NonNullable<ComposeService["logging"]> {
  const { maxSize, keep } = telemetry.logs;
  return {
    driver: "json-file",
    options: { "max-size": composeBytes(maxSize), "max-file": String(keep + 1) },
  };
}

function imageOf({ image, name, planned, refused }: DeployedService, draft: ComposeDraft): string {
  if (image !== undefined) return composeText(image, `engines.${planned.engine.name}.image`);
  const variable = `OMNI_IMAGE_${name}`.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_");
  draft.find({
    code: "render.no-image",
    severity: "warning",
    path: `services.${name}`,
    message: `No image is known for ${planned.engine.name} of ${name}: compose.yaml asks for ${variable}.`,
    hint: `engines: { ${planned.engine.name}: { image: registry/name:tag } }`,
  });
  return draft.variable(variable, {
    at: `services.${name}`,
    why: `image of service ${name}; better in omni.yaml`,
    optional: refused !== undefined,
  });
}

/** Services that have to be healthy first, each replica of them. One that does not start by itself holds nobody up. */
function dependenciesOf(
  service: DeployedService,
  place: ComposePlace,
  draft: ComposeDraft,
): Record<string, ComposeDependency> {
  const found: Record<string, ComposeDependency> = {};
  for (const name of service.after) {
    const waited = place.services.filter((one) => one !== service && (one.replicaOf ?? one.name) === name);
    for (const one of waited)
      found[one.name] = {
        condition: "service_healthy",
        ...(isHeldBack(one) ? { required: false } : {}),
      };
    if (waited.length === 0)
      draft.find({
        code: "render.not-applicable",
        severity: "warning",
        path: `services.${service.name}.after`,
        message: `${service.name} is to start after ${name}, which is no container of the same compose file: Compose cannot wait for it.`,
        hint: "Omni's own supervisor waits for services on any runtime: ./omni up",
      });
  }
  return found;
}

/** What the spec says of this service that only other runtimes know. */
function notApplicable(service: DeployedService, draft: ComposeDraft): void {
  const say = (key: string, message: string, hint: string): void =>
    draft.find({
      code: "render.not-applicable",
      severity: "note",
      path: `services.${service.name}.${key}`,
      message,
      hint,
    });
  if (service.nodePort !== undefined)
    say(
      "nodePort",
      `Docker has no node ports: ${service.name} is reached through the gateway.`,
      "hostPort: publishes it on the node",
    );
  if (service.resources !== undefined)
    say(
      "resources",
      `Requests and limits of ${service.name} are Kubernetes' own.`,
      "memory: and cpus: are limits on Docker",
    );
  if (service.strategy === "rolling")
    say(
      "strategy",
      `Compose replaces ${service.name} in place: the old one stops first.`,
      "Two replicas and a route over both",
    );
}

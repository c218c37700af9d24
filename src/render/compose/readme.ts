import { formatBytes } from "../../core/index.ts";
import type { DeployedService, Deployment } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { markdownText } from "../escape/markdown.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposePlace } from "./place.ts";
import { REFUSED } from "./headline.ts";
import { isSealed, networkNamed } from "./topology.ts";
import type { Topology } from "./topology.ts";

/** What a person does with the folder, in order, and how to look when it does not work. */
export const composeReadme = (
  deployment: Deployment,
  place: ComposePlace,
  topology: Topology,
  draft: ComposeDraft,
): Artifact => ({
  path: `${place.folder}/README.md`,
  content: [
    `# ${markdownText(deployment.name)} on Docker${place.folder === "compose" ? "" : `, ${markdownText(place.machine ?? "any machine")}`}`,
    "Rendered by Omni from omni.yaml; change that and render again.",
    before(deployment, place, draft),
    start(deployment, place),
    topology.gateway === undefined ? undefined : networks(deployment, place, topology),
    refused(place.services),
    "## When it does not work\n\n" +
      "    docker compose ps -a                  # starting until the weights are loaded, then healthy\n" +
      "    docker compose logs --tail 50 NAME    # the reason is usually in the last lines\n" +
      "    docker compose config --quiet         # names a variable that .env lacks",
  ]
    .filter((part) => part !== undefined)
    .join("\n\n")
    .concat("\n"),
  mode: 0o644,
  reason: "asked for by compose.yaml: what must be there before it can start",
});

const code = (text: string): string => `\`${text.replaceAll(/[`\s\p{Cc}]+/gu, " ")}\``;

function before(deployment: Deployment, place: ComposePlace, draft: ComposeDraft): string {
  const steps = ["Docker with Compose 2.20 or newer."];
  if (place.services.some(({ cards }) => cards.length > 0))
    steps.push(
      "The NVIDIA driver and the NVIDIA container toolkit: `docker run --rm --gpus all ubuntu nvidia-smi -L` lists the cards.",
    );
  const used = new Set([
    ...place.services.map(({ image }) => image),
    ...(place.withGateway ? [deployment.gateway.image] : []),
  ]);
  const built = deployment.images.filter(({ tag }) => used.has(tag)).map(({ tag }) => tag);
  if (built.length > 0)
    steps.push(
      `Images that nobody publishes, built by what is rendered in images/: ${[...new Set(built)].map(code).join(", ")}.`,
    );
  const names = new Set(
    place.services.flatMap(({ planned, draftModel }) => [planned.model.name, draftModel]),
  );
  for (const { name, path, sizeBytes, machine = place.machine } of deployment.models)
    if (names.has(name) && path !== "" && (place.machine === undefined || machine === place.machine))
      steps.push(
        `Weights of ${markdownText(name)}${sizeBytes > 0 ? ` (${formatBytes(sizeBytes)})` : ""} at ${code(path)}.`,
      );
  if (draft.variables.length > 0)
    steps.push("Variables: `cp .env.example .env && chmod 600 .env`, then fill it in.");
  const folders = deployment.gateway.folders.filter(({ path }) => path.startsWith("/"));
  for (const { path, writable } of place.withGateway ? folders : [])
    steps.push(
      `The folder ${code(path)} of a tool, ${writable ? "writable" : "readable"} for user 1000, who the gateway runs as.`,
    );
  for (const { path } of draft.secrets)
    steps.push(
      `A secret in ${code(path.replaceAll("$$", "$"))}, readable by the user of the container that it is for (1000 for the gateway) and by nobody else.`,
    );
  return `## What must be there first\n\n${steps.map((step) => `* ${step}`).join("\n")}`;
}

function start({ gateway }: Deployment, place: ComposePlace): string {
  const host = ["0.0.0.0", "::"].includes(gateway.host) ? "127.0.0.1" : gateway.host;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${gateway.port}`;
  const longest = Math.max(0, ...place.services.map(({ loadTimeout }) => loadTimeout));
  return [
    "## Start",
    `    docker compose up -d --wait           # loading may take up to ${Math.ceil(longest / 60_000)} min` +
      (place.withGateway
        ? `\n    curl ${url}/readyz        # 200 once an engine can serve; it asks for no key`
        : ""),
    "Docker starts the containers again after a crash and after a boot, not after `docker compose stop`.",
  ].join("\n\n");
}

function networks(deployment: Deployment, { gatewayName }: ComposePlace, topology: Topology): string {
  const sealed = topology.used.filter((name) => isSealed(networkNamed(deployment, name)));
  const lines = [
    `Only ${code(gatewayName)} publishes a port; clients ask it, and it asks the engines by name.`,
  ];
  if (sealed.length > 0)
    lines.push(
      `Without a way out: ${sealed.map(code).join(", ")}. A container that is on such a network alone reaches no other network; one that is also on another reaches everything through that.`,
      "To prove it, in a container whose image has curl (reached means not isolated):",
      "    docker compose exec NAME curl -m 5 -sS http://1.1.1.1 && echo reached",
    );
  return `## Networks\n\n${lines.join("\n\n")}`;
}

function refused(services: readonly DeployedService[]): string | undefined {
  const named = services.flatMap(({ name, refused: why }) =>
    why === undefined ? [] : [`* ${code(name)}: ${markdownText(why.reason)} → ${markdownText(why.hint)}`],
  );
  if (named.length === 0) return undefined;
  return `## Refused by the plan\n\nThese stand in compose.yaml as written and start only by \`docker compose --profile ${REFUSED} up -d\`:\n\n${named.join("\n")}`;
}

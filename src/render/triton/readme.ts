import type { DeployedCard, DeployedService, Deployment } from "../../deployment/index.ts";
import { codeSpan, markdownText } from "../escape/markdown.ts";
import { tritonModelFolder } from "../triton-repository/index.ts";

interface Tier {
  readonly name: string;
  readonly cards: readonly string[];
  readonly services: readonly string[];
}

/** Cards that their owner treats alike, by the name he gave them, and the services that are placed on any of them. */
function tiersOf(deployment: Deployment): readonly Tier[] {
  const tiers = new Map<string, { machine: string; card: string; model: string }[]>();
  for (const { name: machine, gpus = {} } of deployment.hosts) {
    for (const [card, { tier, model }] of Object.entries(gpus)) {
      if (tier !== undefined) tiers.set(tier, [...(tiers.get(tier) ?? []), { machine, card, model }]);
    }
  }
  return [...tiers].map(([name, members]) => {
    const inTier = ({ machine, name: card }: DeployedCard): boolean =>
      members.some((member) => member.machine === machine && member.card === card);
    return {
      name,
      cards: members.map(({ card, model }) => `${card} (${model})`),
      services: deployment.services.filter(({ cards }) => cards.some(inTier)).map((own) => own.name),
    };
  });
}

function tierLines(deployment: Deployment): readonly string[] {
  const tiers = tiersOf(deployment);
  if (tiers.length === 0) return [];
  const rows = tiers.map(({ name, cards, services }) => {
    const used =
      services.length === 0 ? "none: reserved, no model is placed there" : services.map(codeSpan).join(", ");
    return `| ${codeSpan(name)} | ${cards.map(markdownText).join(", ")} | ${used} |`;
  });
  return ["## Tiers", "", "| Tier | Cards | Services |", "| --- | --- | --- |", ...rows, ""];
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

function shmLine({ shm, cards }: DeployedService): string {
  if (shm !== undefined)
    return `* /dev/shm: ${gib(shm)}, as the spec says. It is main memory and counts against the container's limit.`;
  return cards.length > 1
    ? "* /dev/shm: the runtime's 64 MiB. NCCL passes data between cards through it and stops when it is full: set `shm`."
    : "* /dev/shm: the runtime's 64 MiB, enough for one card.";
}

function serviceLines(service: DeployedService): readonly string[] {
  const model = tritonModelFolder(service);
  const { port, cards, place, start, refused } = service;
  return [
    `## ${codeSpan(service.name)}`,
    "",
    ...(refused === undefined
      ? []
      : [
          `**Refused by the plan** (${codeSpan(refused.code)}), rendered as written: ${markdownText(refused.reason)}`,
          "",
        ]),
    `* Model ${codeSpan(model)} on ${cards.length === 0 ? "no card" : cards.map(({ name }) => codeSpan(name)).join(", ")}; the folder ${codeSpan(service.name)} is mounted at ${codeSpan(place.repositoryPath ?? "/repository")}, weights are read from ${codeSpan(place.modelPath)}.`,
    `* Started with ${codeSpan("--model-control-mode=explicit")} and ${codeSpan(`--load-model=${model}`)}: a model whose engine died is taken out and no longer ready. Kubernetes restarts the pod then (its probes ask for the model and not for the server); elsewhere load it again by hand: ${codeSpan(`curl -X POST http://HOST:${port}/v2/repository/models/${model}/load`)}`,
    `* Ready: ${codeSpan(`curl -f http://HOST:${port}/v2/models/${model}/ready`)}. Ask: ${codeSpan(`curl http://HOST:${port}/v2/models/${model}/generate -d '{"text_input": "Hello", "parameters": {"max_tokens": 16}}'`)}`,
    ...(start.metrics === undefined
      ? []
      : [
          `* Metrics: port ${start.metrics.port ?? port}, ${codeSpan(start.metrics.path)}. No gauge tells how full the KV cache is.`,
        ]),
    shmLine(service),
    "",
  ];
}

/** README.md of all model repositories: what each serves, how it is asked, and which tiers of cards have no model. */
export function tritonReadme(deployment: Deployment, services: readonly DeployedService[]): string {
  return `${[
    "<!-- Rendered by Omni from omni.yaml: model repositories of Triton's vLLM backend. -->",
    "",
    "# Triton model repositories",
    "",
    "One folder a service, each a model repository of its own: `MODEL/config.pbtxt` is Triton's, `MODEL/1/model.json` holds the engine's arguments. Compose mounts these folders; on Kubernetes a ConfigMap carries the same files.",
    "",
    ...tierLines(deployment),
    ...services.flatMap(serviceLines),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

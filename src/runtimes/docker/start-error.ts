import { OmniError } from "../../core/index.ts";
import type { Code } from "../../core/index.ts";
import type { LaunchSpec } from "../../engines/engine.ts";
import { daemonAnswer } from "./daemon-answer.ts";

interface Pattern {
  readonly pattern: RegExp;
  readonly code: Code;
  /** What it means, before Docker's own words. */
  readonly means: string;
  readonly hint: string;
}

/** What Docker, runc and NVIDIA's hook say when a container cannot be made or started; the first that fits counts. */
const PATTERNS: readonly Pattern[] = [
  {
    pattern:
      /could not select device driver "?(?:nvidia|)"? with capabilities|unknown or invalid runtime name: nvidia|unknown runtime specified nvidia/i,
    code: "engine.no-card",
    means: "Docker knows no NVIDIA runtime",
    hint: "Install the NVIDIA container toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker",
  },
  {
    pattern: /could not select device driver "?cdi|unresolvable CDI devices|CDI device injection failed/i,
    code: "engine.no-card",
    means: "Docker finds no CDI description of the card",
    hint: "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml; nvidia-ctk cdi list has to show it; Docker 28.3, or 25 with its feature cdi",
  },
  {
    pattern: /nvidia-container-cli|nvml error|libnvidia-ml/i,
    code: "engine.no-card",
    means: "the NVIDIA container toolkit could not hand the card over",
    hint: "nvidia-smi -L on Docker's machine has to list the card with this UUID; after a driver update reload the driver or reboot",
  },
  {
    pattern:
      /exec: .*(?:executable file not found|no such file or directory|permission denied|is a directory|exec format error)/is,
    code: "engine.no-binary",
    means: "its image holds no such program",
    hint: "Check the command against the image: docker run --rm --entrypoint sh IMAGE -c 'command -v PROGRAM'",
  },
  {
    pattern: /port is already allocated|address already in use|failed to bind (?:host )?port/i,
    code: "engine.port-busy",
    means: "its port is taken",
    hint: "Stop the other program, or give the service another port.",
  },
  {
    pattern: /no space left on device/i,
    code: "engine.no-space",
    means: "the disk is full",
    hint: "docker system df shows what Docker keeps; docker image prune --all frees images that no container uses.",
  },
  {
    pattern: /bind source path does not exist|error mounting|invalid mount config/i,
    code: "engine.not-started",
    means: "a folder that it is to see is not there",
    hint: "Make the folder on Docker's machine, or correct the service's mounts.",
  },
  {
    pattern: /requested cpus are not available|invalid.*cpuset|cpuset\.(?:cpus|mems)/i,
    code: "engine.not-started",
    means: "its processors are not there",
    hint: "lscpu shows which there are; correct the service's cpus.",
  },
  {
    pattern: /non-overlapping IPv4 address pool|all predefined address pools/i,
    code: "engine.not-started",
    means: "no range of addresses is left for a network",
    hint: "docker network prune removes networks that no container uses; default-address-pools of daemon.json holds the ranges.",
  },
  {
    pattern: /minimum memory limit|memory limit should be/i,
    code: "engine.not-started",
    means: "its memory limit is too small",
    hint: "Raise the service's memory: Docker takes no less than 6 MiB.",
  },
];

/** Why a container could not be made or started, with Docker's words (values of the environment left out) and a remedy. */
export function startError(launch: LaunchSpec, thrown: unknown): OmniError {
  if (thrown instanceof OmniError) return thrown;
  const words = withoutValues(daemonAnswer(thrown).words, launch.environment).replace(/\.$/, "");
  const found = PATTERNS.find(({ pattern }) => pattern.test(words));
  const program = found?.code === "engine.no-binary" ? ` (${launch.command[0]})` : "";
  const means = found === undefined ? "" : `${found.means}${program}: `;
  return new OmniError(
    found?.code ?? "engine.not-started",
    `${launch.service}: Docker does not start its container: ${means}${words}.`,
    { hint: found?.hint ?? "docker info and journalctl -u docker say more." },
  );
}

/** Short values would take ordinary words with them; what is that short is no secret. */
const SHORTEST_SECRET = 6;

const withoutValues = (text: string, environment: Readonly<Record<string, string>>): string =>
  Object.values(environment)
    .filter((value) => value.length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length)
    .reduce((kept, value) => kept.replaceAll(value, "…"), text);

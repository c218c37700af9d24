import { OmniError } from "../../core/index.ts";
import type { FileChoice, PullOptions } from "../../pull/index.ts";
import type { Spec } from "../../spec/index.ts";
import { bandwidth } from "../../spec/scalars/quantities.ts";
import { integerOption } from "../command.ts";
import type { Invocation } from "../command.ts";
import { hubTarget } from "../hub-target.ts";
import { locateSpec, readSecretOf } from "../node-spec.ts";

type Target = Pick<PullOptions, "repository" | "choice" | "connections" | "bandwidth">;

/** What a command line asks to be fetched: a repository of a hub, or a model of a spec by its name. */
export async function pullTarget(target: string, invocation: Invocation): Promise<Target> {
  const found = target.startsWith("hf:") ? ofHub(target) : await ofSpec(target, invocation.value("spec"));
  const include = invocation.values("include");
  const connections = integerOption(invocation, "connections", [1, 64]);
  return {
    repository: found.repository,
    choice: include.length > 0 ? { include } : found.choice,
    connections: connections ?? found.connections,
    bandwidth: bandwidthOption(invocation) ?? found.bandwidth,
  };
}

function ofHub(target: string): Target {
  const { repo, revision, files, quantization } = hubTarget(target);
  return { repository: { repo, revision }, choice: { files, quantization } };
}

async function ofSpec(name: string, file: string | undefined): Promise<Target> {
  const { spec, folder, origin } = await locateSpec(file, undefined);
  const model = spec.models[name];
  if (model === undefined)
    throw new OmniError("cli.bad-argument", `${origin} has no model ${JSON.stringify(name)}.`, {
      hint: `It has ${Object.keys(spec.models).slice(0, 8).join(", ") || "none"}. A repository is written hf:OWNER/REPO.`,
    });
  const { source } = model;
  if (source.hub === undefined)
    throw new OmniError("cli.bad-argument", `The model ${name} of ${origin} comes from no hub.`, {
      hint: "There is nothing to fetch for it.",
    });
  const { downloads } = spec.runbook;
  return {
    repository: {
      repo: source.hub,
      revision: source.revision,
      endpoint: source.endpoint ?? downloads?.endpoint,
      token: source.token === undefined ? undefined : await readSecretOf(source.token, folder),
    },
    choice: choiceOf(model),
    connections: downloads?.connections,
    bandwidth: downloads?.bandwidth,
  };
}

function choiceOf({ source, quantization, format }: Spec["models"][string]): FileChoice {
  if (source.files !== undefined) return { include: source.files };
  // Of safetensors the quantization tells how they were made, and names no file.
  const gguf = format === "gguf" || (format === undefined && /gguf/i.test(source.hub ?? ""));
  return { quantization: source.quantization ?? (gguf ? quantization : undefined) };
}

function bandwidthOption(invocation: Invocation): number | undefined {
  const text = invocation.value("bandwidth");
  if (text === undefined) return undefined;
  const { success, data } = bandwidth().safeParse(text);
  if (success && data > 0) return data;
  throw new OmniError(
    "cli.bad-argument",
    `--bandwidth needs a rate with its unit, not ${JSON.stringify(text)}.`,
    {
      hint: "For example: --bandwidth 50MB/s",
    },
  );
}

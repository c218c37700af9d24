import { parse } from "yaml";
import { z } from "zod";
import type { Deployment } from "../../../src/deployment/index.ts";
import { observability } from "../../../src/render/observability/index.ts";
import { deploymentOf } from "../deployments.ts";

/** vLLM, which has metrics of every sort, on Kubernetes with a GPU operator, which brings dcgm-exporter. */
const VLLM = `
omni: 1
name: watched
metal:
  gpus:
    big: { model: RTX PRO 6000 Blackwell, uuid: GPU-11111111-2222-3333-4444-555555555555 }
guest:
  kubernetes: { version: "1.35", gpuOperator: { version: v25.10.0 } }
runtime: kubernetes
models:
  qwen: { source: "hf:Qwen/Qwen3-8B", family: Qwen3-8B, quantization: BF16 }
engines:
  vllm: { kind: vllm, version: 0.30.0 }
services:
  chat: { model: qwen, engine: vllm, devices: [big], context: 8192 }
`;

/** The deployment of one vLLM service, `chat`. */
export const vllmDeployment = (): Promise<Deployment> => deploymentOf(VLLM);

export const files = (one: Deployment): ReadonlyMap<string, string> =>
  new Map(
    observability
      .render(one)
      .artifacts.map(({ path, content }) => [path.replace("observability/", ""), content]),
  );
export const fileOf = (one: Deployment, name: string): string => files(one).get(name) ?? "";

const RULES = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.record(z.string(), z.string()),
          annotations: z.object({ summary: z.string().min(10), description: z.string().min(40) }),
        }),
      ),
    }),
  ),
});
export const rulesOf = (one: Deployment) =>
  RULES.parse(parse(fileOf(one, "alerts.yaml"))).groups.flatMap(({ rules }) => rules);
export const alertsOf = (one: Deployment): readonly string[] => [
  ...new Set(rulesOf(one).map(({ alert }) => alert)),
];

const DASHBOARD = z.object({
  uid: z.string().max(40),
  title: z.string(),
  schemaVersion: z.number().min(39),
  panels: z.array(
    z.looseObject({
      id: z.number(),
      type: z.string(),
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ refId: z.string(), expr: z.string() })).optional(),
    }),
  ),
});
export const dashboardOf = (one: Deployment): z.infer<typeof DASHBOARD> =>
  DASHBOARD.parse(JSON.parse(fileOf(one, "dashboard.json")));

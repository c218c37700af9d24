import { expect, it } from "vitest";
import { makePlan } from "../../src/cli/make-plan.ts";
import { deploy } from "../../src/deployment/index.ts";
import { renderNode } from "../../src/render/index.ts";
import type { TargetName } from "../../src/render/index.ts";
import { locatedSpec } from "../fakes/located-spec.ts";
import { PLAIN_MACHINE } from "./deployments.ts";

const WORKFLOW = '{ "1": { "class_type": "SaveImage", "inputs": {} } }\n';

/** The files of a target for a node whose two painters have workflows, by their paths. */
async function filesOf(runtime: string, target: TargetName): Promise<ReadonlyMap<string, string>> {
  const text = `
name: studio
metal: { cpu: { cores: 16 }, memory: { size: 64GiB } }
runtime: ${runtime}
models: { small: { source: { file: /srv/small.gguf }, family: Qwen2.5-Coder-7B, format: gguf, quantization: Q4_K_M } }
engines: { elsewhere: { kind: comfyui, url: "http://10.0.0.9:8188" } }
services:
  chat: { model: small, engine: llama.cpp, devices: cpu, context: 4096 }
  painter: { engine: elsewhere, workflows: { flux: a/flux.json } }
  studio: { engine: elsewhere, workflows: { sdxl: "b/flux.json", gone: b/gone.json } }
keys: { owner: { env: OMNI_KEY, admin: true } }
gateway:
  allowedHosts: [ai.example.com]
  tls: { certificate: /etc/ai/tls.crt, key: { file: /etc/ai/tls.key } }
`;
  const located = locatedSpec(text);
  const { spec, typed } = located;
  const plan = await makePlan(located, { online: false, observed: PLAIN_MACHINE });
  const workflows = new Map([
    ["a/flux.json", WORKFLOW],
    ["b/flux.json", WORKFLOW.replace("SaveImage", "PreviewImage")],
  ]);
  const deployment = deploy({ spec, plan, typed, omniVersion: "1.2.3", workflows });
  const missing = deployment.findings.flatMap(({ path }) =>
    path?.includes("workflows") === true ? [path] : [],
  );
  expect(missing).toEqual(["services.studio.workflows.gone"]);
  const { files } = renderNode(deployment, [target]);
  return new Map(files.map(({ path, content }) => [path, content]));
}

const OWN_PATHS = ["flux: workflows/flux.json", "sdxl: workflows/flux-2.json"];

it("gives workflow templates to a gateway in Docker as a folder beside its spec", async () => {
  const files = await filesOf("docker", "compose");
  const spec = files.get("compose/gateway/omni.yaml") ?? "";
  for (const line of OWN_PATHS) expect(spec).toContain(line);
  expect(spec).not.toContain("gone");
  expect(files.get("compose/gateway/workflows/flux.json")).toBe(WORKFLOW);
  expect(files.get("compose/gateway/workflows/flux-2.json")).toContain("PreviewImage");
  const compose = files.get("compose/compose.yaml") ?? "";
  expect(compose).toContain("source: ./gateway/workflows\n        target: /etc/omni/workflows");
  // The certificate lies where the spec names it, and who looks after the container speaks TLS.
  expect(compose).toContain("target: /etc/ai/tls.crt");
  expect(compose).toContain('require("node:https")');
});

it("gives them to a pod in the ConfigMap of its spec, each at its own path", async () => {
  const files = await filesOf("kubernetes", "kubernetes");
  const gateway = [...files].find(([path]) => path.endsWith("gateway.yaml"))?.[1] ?? "";
  for (const line of OWN_PATHS) expect(gateway).toContain(line);
  for (const name of ["flux.json", "flux-2.json"]) {
    expect(gateway).toContain(`mountPath: /etc/omni/workflows/${name}`);
    expect(gateway).toContain(`subPath: ${name}`);
  }
  expect(gateway).toContain("mountPath: /etc/ai/tls.crt");
  expect(gateway).toMatch(/scheme: HTTPS/);
  expect(gateway).toMatch(/httpHeaders:\n +- name: Host\n +value: localhost/);
});

it("installs them beside the spec of a gateway that is a unit", async () => {
  const files = await filesOf("{ kind: process, process: { systemd: true } }", "systemd");
  const spec = files.get("systemd/gateway.yaml") ?? "";
  for (const line of OWN_PATHS) expect(spec).toContain(line);
  expect(spec).toMatch(/certificate: \/run\/credentials\/omni-gateway\.service\/secret-\d/);
  expect(files.get("systemd/workflows/flux.json")).toBe(WORKFLOW);
  expect(files.get("systemd/install.sh")).toContain("copy 0644 workflows/flux.json /etc/omni");
  expect(files.get("systemd/omni-gateway.service")).toContain("https://127.0.0.1:4664/healthz");
});

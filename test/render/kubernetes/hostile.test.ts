import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Deployment } from "../../../src/deployment/index.ts";
import { kubernetes } from "../../../src/render/kubernetes/index.ts";
import { hasDefinitions, StrictKubernetes } from "../strict-kubernetes.ts";
import { clusterDeployment, objectsOf, podIn } from "./cluster-spec.ts";

const base = await clusterDeployment({
  guest: { cni: "cilium" },
  service: { networks: ["walled"] },
  more: {
    networks: { walled: { isolation: "gateway-only" } },
    runbook: { commandModule: { image: "ubuntu:24.04", storage: "1GiB", packages: ["git"] } },
  },
});

const PIECES = [
  "'",
  '"',
  "\n",
  "\r",
  "$(HOME)",
  "$$",
  "$",
  "`id`",
  "%",
  "\\",
  "-",
  "--",
  ": ",
  " #",
  "- ",
  "&a",
  "*a",
].concat([
  "!",
  "|",
  ">",
  "{",
  "[",
  "@",
  "yes",
  "0x1",
  "1e3",
  "~",
  "<<",
  "\u0007",
  "\u007f",
  "\u0085",
  "\u2028",
  "\ufeff",
  "ü",
  "😀",
  "---",
  "```",
]);
const hostile = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join("")),
  fc.string({ unit: "binary", minLength: 1 }).filter((text) => text.isWellFormed() && !text.includes("\0")),
);

/** The deployment with one text at every place where an owner's text goes through unchanged. */
function withText(text: string, rest: Partial<Deployment> = {}): Deployment {
  const [service] = base.services;
  const { commandModule } = base;
  if (service === undefined || commandModule === undefined) throw new Error("the base has both");
  return {
    ...base,
    description: text,
    services: [
      {
        ...service,
        start: { ...service.start, command: ["vllm", text, `--x=${text}`] },
        environment: { PLAIN: text },
        refused: { code: "does-not-fit", reason: text, hint: text },
        labels: { note: text },
        planned: { ...service.planned, model: { ...service.planned.model, name: text } },
        mounts: [
          {
            name: "data",
            source: { kind: "folder", path: `/${text}`, create: true },
            at: `/${text}`,
            readOnly: true,
            purpose: "data",
          },
        ],
      },
    ],
    networks: base.networks.map((network) => ({ ...network, allow: [text], labels: { note: text } })),
    clusters: base.clusters.map((cluster) => ({ ...cluster, labels: { note: text } })),
    gateway: {
      ...base.gateway,
      config: () => ({ keys: { a: {} }, text, [text]: [text] }),
      secrets: [{ file: text }],
    },
    commandModule: { ...commandModule, packages: [text], environment: { PLAIN: text } },
    ...rest,
  };
}

/** What the kubelet makes of a text: `$$` is a dollar, and nothing here is a variable that it knows. */
const expanded = (text: string | undefined): string | undefined => text?.replaceAll("$$", "$");

/** Blocks of code as CommonMark reads them: a fence is closed by one at least as long. */
function blocksOf(markdown: string): number {
  let [open, blocks] = ["", 0];
  for (const line of markdown.split("\n")) {
    const fence = /^(`{3,})/.exec(line)?.[1] ?? "";
    if (open === "" && fence !== "") [open, blocks] = [fence, blocks + 1];
    else if (open !== "" && fence.length >= open.length && line.trimEnd() === fence) open = "";
  }
  return open === "" ? blocks : Number.NaN;
}

describe("hostile texts", () => {
  const validity = hasDefinitions ? "valid" : "unchecked for want of the definitions of Kubernetes 1.35";
  it(`come back unchanged from every place, and make no object more or less; each is ${validity}`, () => {
    const names = [...objectsOf(base).keys()];
    const strict = hasDefinitions ? new StrictKubernetes() : undefined;
    fc.assert(
      fc.property(hostile, (text) => {
        const objects = objectsOf(withText(text));
        expect([...objects.keys()]).toEqual(names);
        expect([...objects.values()].flatMap((object) => strict?.errors(object) ?? [])).toEqual([]);
        const { container, replicas } = podIn(objects, "chat");
        expect(replicas).toBe(0);
        expect(container.args.map(expanded)).toEqual([text, `--x=${text}`]);
        expect(expanded(container.env.find(({ name }) => name === "PLAIN")?.value)).toBe(text);
        expect(container).toMatchObject({ volumeMounts: [{ mountPath: `/${text}` }] });
        expect(objects.get("Deployment chat")).toMatchObject({
          metadata: { annotations: { "omni.internal/not-started-because": text } },
        });
        const shell = podIn(objects, "test-node-command-module").container;
        expect(shell.args.map(expanded)).toEqual([text]);
        const config = objects.get("ConfigMap test-node-gateway-config");
        const { data } = z.object({ data: z.record(z.string(), z.string()) }).parse(config);
        expect(Object.values(data).join()).toContain("rendered by Omni");
      }),
      { numRuns: 30 },
    );
  });

  it("stand in no comment that they could leave, and in no block of README.md", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const { path, content } of kubernetes.render(withText(`x\n${text}\nkind: Evil`)).artifacts) {
          expect(path.endsWith(".yaml") && /^kind: Evil/m.test(content), path).toBe(false);
          expect(path.endsWith(".md") ? blocksOf(content) : 3).toBe(3);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("that no process can be given are refused with their place", () => {
    expect(() => kubernetes.render(withText("a\0b"))).toThrow(/NUL/);
    expect(() => kubernetes.render(withText("a\ud800b"))).toThrow(/surrogate/);
  });

  it("never show the value of a secret, because none is ever there", () => {
    process.env["OMNI_HOSTILE_SECRET"] = "s3cr3t-value";
    const deployment = withText("x", {
      gateway: { ...base.gateway, secrets: [{ env: "OMNI_HOSTILE_SECRET" }] },
    });
    const all = kubernetes
      .render(deployment)
      .artifacts.map(({ content }) => content)
      .join("\n");
    delete process.env["OMNI_HOSTILE_SECRET"];
    expect(all).toContain("OMNI_HOSTILE_SECRET");
    expect(all).not.toContain("s3cr3t-value");
  });
});

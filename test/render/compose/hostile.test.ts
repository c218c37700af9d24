import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import type { Deployment } from "../../../src/deployment/index.ts";
import { compose } from "../../../src/render/compose/index.ts";
import { interpolated } from "./interpolated.ts";
import { referenceDeployment } from "../deployments.ts";

const HOSTILE = [
  "$(touch /tmp/x)",
  "${HOME}",
  "$HOME$$",
  "`id`",
  "'\"\\",
  "a: b # c",
  "- x",
  "--flag",
  "%n",
  "yes",
  "0x10",
  "1e3",
  "null",
  "{a: [b]}",
  "l1\nl2\n",
  "---\nservices: {}",
  "*x &y !z |",
  "\u2028\u0085",
  "ünïcode 😀",
  " lead and trail ",
  "${A:?b}",
];
const text = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary", maxLength: 12 }).filter((one) => one.isWellFormed() && !one.includes("\0")),
);

const fileSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      entrypoint: z.array(z.string()).optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()),
      volumes: z.array(z.object({ source: z.string(), target: z.string() })),
      labels: z.record(z.string(), z.string()),
      cpuset: z.string().optional(),
      profiles: z.array(z.string()).optional(),
    }),
  ),
  networks: z.record(z.string(), z.object({ labels: z.record(z.string(), z.string()).optional() })),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});

/** The corrected bunker with its owner's words in every place that takes free text. */
function spoiled(deployment: Deployment, words: readonly string[]): Deployment {
  const word = (index: number): string => words[index % words.length] ?? "";
  return {
    ...deployment,
    name: word(0),
    docker: { ...deployment.docker, labels: { "owner.label": word(1) } },
    networks: deployment.networks.map((network) => ({ ...network, labels: { note: word(2) } })),
    gateway: {
      ...deployment.gateway,
      image: word(3),
      secrets: [{ file: `/run/${word(4)}` }],
      folders: [{ path: `/srv/${word(5)}`, writable: false }],
    },
    services: deployment.services.map((service) => ({
      ...service,
      image: word(6),
      refused: { code: "plan.not-applied" as const, reason: word(7), hint: word(8) },
      planned: { ...service.planned, model: { ...service.planned.model, name: word(9) } },
      start: { ...service.start, command: ["engine", ...words] },
      environment: { OWN: word(10), FROM_FILE: { file: `/etc/${word(4)}` } },
      cpus: word(11),
      labels: { "owner.service": word(12) },
      mounts: [
        {
          name: "m",
          source: { kind: "folder" as const, path: `/data/${word(13)}`, create: true },
          at: `/in/${word(14)}`,
          readOnly: false,
          purpose: "data" as const,
        },
      ],
    })),
  };
}

describe("a compose file with hostile words in every free text", async () => {
  const deployment = await referenceDeployment("concrete-bunker.fixed");

  it("gives each of them back, to readers of YAML 1.2 and 1.1", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 15, maxLength: 15 }), (words) => {
        const artifacts = compose.render(spoiled(deployment, words)).artifacts;
        const content = artifacts.find(({ path }) => path === "compose/compose.yaml")?.content ?? "";
        for (const version of ["1.2", "1.1"] as const) {
          const file = fileSchema.parse(interpolated(parse(content, { version })));
          expect(file.networks["internal_brain"]?.labels).toEqual({ note: words[2] });
          expect(file.services["gateway"]).toMatchObject({
            image: words[3],
            labels: { "org.omni.deployment": words[0], "owner.label": words[1] },
          });
          expect(file.services["gateway"]?.volumes.at(-1)).toMatchObject({
            source: `/srv/${words[5]}`,
            target: `/srv/${words[5]}`,
          });
          expect(Object.values(file.secrets).map((secret) => secret.file)).toEqual(
            expect.arrayContaining([`/run/${words[4]}`, `/etc/${words[4]}`]),
          );
          const oracle = file.services["deepseek-v32"];
          expect(oracle).toMatchObject({
            image: words[6],
            cpuset: words[11],
            profiles: ["refused"],
            labels: { "owner.service": words[12] },
            volumes: [{ source: `/data/${words[13]}`, target: `/in/${words[14]}` }],
          });
          expect(oracle?.environment["OWN"]).toBe(words[10]);
          expect(oracle?.entrypoint?.at(-1)).toBe("engine");
          expect(oracle?.command).toEqual(words);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("refuses what no process can be given, and names that are none", () => {
    const withWord = (word: string) => () => compose.render(spoiled(deployment, [word]));
    expect(withWord("a\0b")).toThrow(/NUL/);
    const named = (name: string) => () =>
      compose.render({
        ...deployment,
        services: deployment.services.map((service) => ({ ...service, environment: { [name]: "x" } })),
      });
    expect(named("A=B")).toThrow(/services\.deepseek-v32\.environment\.A=B: "A=B" cannot be the name/);
    const secret = (name: string) => () =>
      compose.render({ ...deployment, gateway: { ...deployment.gateway, secrets: [{ env: name }] } });
    expect(secret("A:-default")).toThrow(/no name of a variable/);
  });
});

import { describe, expect, it } from "vitest";
import { loadSpec } from "../load-spec.ts";

const found = (text: string): string[] =>
  loadSpec(`omni: 1\n${text}`, "f")
    .diagnostics.filter((d) => d.severity === "error")
    .map((d) => `${d.code} ${d.path ?? ""}`);

const MODEL = "models: { m: ./m.gguf }\n";

describe("subnets", () => {
  const networks = (a: string, b: string): string[] =>
    found(
      `${MODEL}services: { s: { model: m, networks: [a, b] } }\nnetworks: { a: { subnet: "${a}" }, b: { subnet: "${b}" } }`,
    );

  it.each([
    ["172.30.0.0/16", "172.31.0.0/16", []],
    ["fd00:1::/64", "fd00:2::/64", []],
    ["0.0.0.0/0", "10.0.0.0/8", ["spec.subnet-overlap networks.b.subnet"]],
    ["10.0.0.0/8", "10.1.0.0/16", ["spec.subnet-overlap networks.b.subnet"]],
    ["fd00::/32", "fd00:0:1::/48", ["spec.subnet-overlap networks.b.subnet"]],
    ["10.0.0.0/8", "::/0", []],
    ["10.0.0.1/8", "11.0.0.0/8", ["spec.bad-subnet networks.a.subnet"]],
    ["10.0.0.0", "10.0.0.0/33", ["spec.bad-subnet networks.a.subnet", "spec.bad-subnet networks.b.subnet"]],
  ])("%s and %s", (a, b, expected) => {
    expect(networks(a, b)).toEqual(expected);
  });

  it("knows the network without its host bits", () => {
    const { diagnostics } = loadSpec(
      `omni: 1\n${MODEL}services: { s: { model: m, networks: a } }\nnetworks: { a: { subnet: 172.31.5.9/16 } }`,
      "f",
    );
    expect(diagnostics.map((d) => d.hint)).toEqual(["172.31.0.0/16"]);
  });
});

describe("cycles", () => {
  it("are found once, where they close", () => {
    expect(
      found(
        `${MODEL}services: { a: { model: m, after: b }, b: { model: m, after: c }, c: { model: m, after: [a] }, d: { model: m, after: [a, b, c] } }`,
      ),
    ).toEqual(["spec.cycle services.c.after[0]"]);
    expect(found(`${MODEL}services: { a: { model: m, after: a } }`)).toEqual(["spec.cycle services.a.after"]);
    expect(
      found(
        `${MODEL}services: { a: { model: m, after: [b, c] }, b: { model: m, after: c }, c: { model: m } }`,
      ),
    ).toEqual([]);
  });

  it("do not need a stack as long as the chain", () => {
    const chain = Array.from({ length: 5000 }, (_, i) => `  s${i}: { model: m, after: s${i + 1} }`).join(
      "\n",
    );
    expect(found(`${MODEL}services:\n${chain}\n  s5000: { model: m }\n`)).toEqual([]);
  });

  it("of fallbacks count too", () => {
    const to = (service: string): string => `ladder: [{ step: cpu-executor, to: ${service} }]`;
    expect(found(`${MODEL}services: { a: { model: m, ${to("b")} }, b: { model: m, ${to("a")} } }`)).toEqual([
      "spec.cycle services.b.ladder[0].to",
    ]);
  });
});

describe("inline secrets", () => {
  const service = (rest: string): string[] => found(`${MODEL}services: { s: { model: m, ${rest} } }`);

  it.each([
    ["environment: { HF_TOKEN: abc }", "services.s.environment.HF_TOKEN"],
    ["environment: { X: hf_abcdefghijklmnopqrstuvwxyz }", "services.s.environment.X"],
    ["environment: { DATABASE: 'postgres://u:p@h/db' }", "services.s.environment.DATABASE"],
    ["arguments: [--api-key, secret]", "services.s.arguments[1]"],
    ["arguments: [--api-key=secret]", "services.s.arguments[0]"],
  ])("%s", (rest, path) => {
    expect(service(rest)).toEqual([`spec.inline-secret ${path}`]);
  });

  it.each([
    ["environment: { HF_TOKEN: { env: HF_TOKEN } }"],
    ["environment: { HF_TOKEN_PATH: /run/secrets/hf, MAX_TOKENS: 5, TOKENIZERS_PARALLELISM: false }"],
    ["arguments: [--api-key-file, /run/secrets/key]"],
    ["arguments: [--api-key, $KEY, --max-tokens, 5]"],
    ["environment: { URL: 'http://user@host/x' }"],
  ])("%s is none", (rest) => {
    expect(service(rest)).toEqual([]);
  });
});

describe("cards of several machines", () => {
  const machines =
    "machines: { one: { gpus: { card: RTX 4090 } }, two: { gpus: { card: RTX 4090, other: RTX 3060 } } }\n";
  const devices = (rest: string): string[] =>
    found(`${MODEL}${machines}services: { s: { model: m, ${rest} } }`);

  it("must be told apart", () => {
    expect(devices("devices: card")).toEqual(["spec.ambiguous-reference services.s.devices"]);
    expect(devices("devices: one/card")).toEqual([]);
    expect(devices("devices: card, machine: two")).toEqual([]);
    expect(devices("devices: other")).toEqual([]);
    expect(devices("devices: other, machine: one")).toEqual(["spec.unknown-reference services.s.devices"]);
    expect(devices("devices: three/card")).toEqual(["spec.unknown-reference services.s.devices"]);
  });
});

describe("ports", () => {
  const two = (runtime: string, key: string): string[] =>
    found(
      `runtime: ${runtime}\n${MODEL}services: { a: { model: m, ${key}: 30001 }, b: { model: m, ${key}: 30001 } }`,
    );

  it("clash only where they share an address", () => {
    expect(two("process", "port")).toEqual(["spec.duplicate-identity services.b.port"]);
    expect(two("kubernetes", "port")).toEqual([]);
    expect(two("kubernetes", "nodePort")).toEqual(["spec.duplicate-identity services.b.nodePort"]);
    expect(two("docker", "hostPort")).toEqual(["spec.duplicate-identity services.b.hostPort"]);
    expect(found(`${MODEL}services: { a: { model: m, port: 4664 } }`)).toEqual([
      "spec.duplicate-identity services.a.port",
    ]);
  });
});

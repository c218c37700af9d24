import { describe, expect, it } from "vitest";
import { formatDiagnostic } from "../core/index.ts";
import { loadSpec } from "./load-spec.ts";

const load = (text: string) => loadSpec(text, "omni.yaml");
const codes = (text: string): string[] => load(text).diagnostics.map((d) => d.code);
const places = (text: string): string[] =>
  load(text).diagnostics.map((d) => `${d.line}:${d.column} ${d.code} ${d.path ?? ""}`);

describe("loadSpec", () => {
  it("reads the shortest useful spec", () => {
    const { spec, diagnostics } = load("omni: 1\nmodels:\n  chat: ./model.gguf\n");
    expect(diagnostics).toEqual([]);
    expect(spec?.services["chat"]).toMatchObject({
      model: "chat",
      engine: ["embedded"],
      devices: { kind: "auto" },
    });
    expect(spec?.routes["chat"]?.services).toEqual([{ service: "chat", weight: 1 }]);
  });

  it("reports ten mistakes at once, each at its place", () => {
    const text = `omni: 1
nmae: x
models:
  chat: ./model.gguf
services:
  Oracle: { model: chat }
  a:
    model: caht
    context: 32k
    shm: 32
    memoryFraction: 95
    cudaGraphs: yes
    environment: { HF_TOKEN: abc }
    engine: vlm
gateway: { port: 99999 }
`;
    expect(places(text)).toEqual([
      "2:1 spec.unknown-key nmae",
      "6:3 spec.bad-name services.Oracle",
      "8:12 spec.unknown-reference services.a.model",
      "9:14 spec.wrong-type services.a.context",
      "10:10 spec.bad-unit services.a.shm",
      "11:21 spec.bad-value services.a.memoryFraction",
      "12:17 spec.wrong-type services.a.cudaGraphs",
      "13:30 spec.inline-secret services.a.environment.HF_TOKEN",
      "14:13 spec.unknown-engine services.a.engine",
      "15:18 spec.bad-value gateway.port",
    ]);
    expect(load(text).spec).toBeUndefined();
  });

  it("says what to type", () => {
    const hints = load(
      "omni: 1\nmodels: { a: ./m }\nservices: { a: { model: a, context: 32k, memoryFraction: 95, cudaGraphs: no } }\n",
    );
    expect(hints.diagnostics.map((d) => d.hint)).toEqual(["32768", "95%", "false"]);
  });

  it("concludes nothing from what it took away", () => {
    // The faulty memory is reported; that the VM then has none is not.
    expect(codes("omni: 1\nmodels: { a: ./m }\nguest: { vm: { id: 105, cores: 1, memory: 300 } }\n")).toEqual(
      ["spec.bad-unit"],
    );
    // A reference to a faulty model is no reference to an unknown one.
    expect(codes("omni: 1\nmodels: { a: nonsense }\nservices: { s: { model: a } }\n")).toEqual([
      "spec.bad-value",
    ]);
    expect(codes("omni: 1\nmodels: { a: ./m }\nservices: { s: { model: [a] } }\n")).toEqual([
      "spec.wrong-type",
    ]);
  });

  it("keeps the version first: another version hides everything else", () => {
    expect(codes("omni: 2\nnonsense: true\n")).toEqual(["spec.version"]);
    expect(codes("models: { a: ./m }\n")).toEqual(["spec.missing-key"]);
  });

  it("quotes a version as it was typed", () => {
    const { diagnostics } = load(
      "omni: 1\nmodels: { a: ./m }\nengines: { e: { kind: vllm, version: 24.10 } }\nservices: { s: { model: a, engine: e } }\n",
    );
    expect(diagnostics).toMatchObject([{ code: "spec.wrong-type", hint: '"24.10"', line: 3 }]);
  });

  it("names the path that the owner typed where a shorthand was used", () => {
    expect(
      places(
        "omni: 1\nmodels: { a: ./m }\nservices: { s: { model: a } }\nroutes: { r: [s, { service: t }] }\n",
      ),
    ).toEqual(["4:29 spec.unknown-reference routes.r[1].service"]);
    expect(places("omni: 1\nmodels: { a: ./m }\nservices: { s: { model: a } }\nroutes: { r: t }\n")).toEqual([
      "4:14 spec.unknown-reference routes.r",
    ]);
  });

  it("ignores top keys that start with x- but follows their anchors", () => {
    const { spec } = load(
      "omni: 1\nx-small: &small { context: 4096, parallel: 2 }\nmodels: { a: ./m }\nservices: { s: { <<: *small, model: a, parallel: 8 } }\n",
    );
    expect(spec?.services["s"]).toMatchObject({ context: 4096, parallel: 8 });
  });

  it("shows a fault in a merged value where it was written", () => {
    expect(
      places(
        "omni: 1\nx-small: &small { context: many }\nmodels: { a: ./m }\nservices: { s: { <<: *small, model: a } }\n",
      ),
    ).toEqual(["2:28 spec.wrong-type services.s.context"]);
  });

  it("prefers own keys, then the first source of a merge", () => {
    const { spec } = load(
      "omni: 1\nx-a: &a { context: 1, parallel: 1 }\nx-b: &b { context: 2, queue: 2 }\nmodels: { m: ./m }\nservices: { s: { <<: [*a, *b], model: m } }\n",
    );
    expect(spec?.services["s"]).toMatchObject({ context: 1, parallel: 1, queue: 2 });
  });

  it("orders findings by their place and repeats itself exactly", () => {
    const text = "omni: 1\nmodels: { a: 3, b: 4 }\nfoo: 1\n";
    const first = load(text).diagnostics.map(formatDiagnostic);
    expect(first).toEqual(load(text).diagnostics.map(formatDiagnostic));
    const lines = load(text).diagnostics.map((d) => d.line ?? 0);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });
});

describe("files that are no spec", () => {
  it.each([
    ["", "spec.empty"],
    ["# only a comment\n", "spec.empty"],
    ["---\n", "spec.empty"],
    ["- a\n- b\n", "spec.wrong-type"],
    ["hello", "spec.wrong-type"],
    ["omni: 1\n---\nomni: 1\n", "spec.several-documents"],
    ["omni: 1\nmodels:\n\ta: ./m\n", "spec.tab"],
    ["omni: 1\nmodels: { a: [ }\n", "spec.syntax"],
    ["omni: 1\nmodels: { a: *none }\n", "spec.unknown-anchor"],
    ["omni: 1\nname: !secret x\n", "spec.unsupported-tag"],
    ["omni: 1\nname: a\nname: b\n", "spec.duplicate-key"],
    ["omni: 1\nname: a\u0000\n", "spec.encoding"],
  ])("%j is %s", (text, code) => {
    expect(codes(text)).toContain(code);
    expect(load(text).spec).toBeUndefined();
  });

  it("takes UTF-8 with a mark and refuses UTF-16 and Latin-1, naming the place", () => {
    const text = "omni: 1\nmodels: { a: ./m }\n";
    expect(loadSpec(Buffer.from(`\uFEFF${text}`), "f").diagnostics).toEqual([]);
    expect(load(`\uFEFF${text}`).diagnostics).toEqual([]);
    expect(loadSpec(Buffer.from(`\uFEFF${text}`, "utf16le"), "f").diagnostics).toMatchObject([
      { code: "spec.encoding", line: 1 },
    ]);
    const latin = Buffer.concat([Buffer.from("omni: 1\nname: caf"), Buffer.from([0xe9, 0x0a])]);
    expect(loadSpec(latin, "f").diagnostics).toMatchObject([{ code: "spec.encoding", line: 2, column: 10 }]);
  });
});

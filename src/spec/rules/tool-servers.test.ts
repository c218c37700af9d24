import { expect, it } from "vitest";
import { loadSpec } from "../load-spec.ts";

const found = (text: string): string[] =>
  loadSpec(`omni: 1\nmodels: { m: ./m.gguf }\n${text}`, "f").diagnostics.map(
    (d) => `${d.code} ${d.path ?? ""}`,
  );

const TWO = "tools: { a: { command: [x] }, b: { command: [y] } }\n";

it("names of tools go without their server's only where there is one", () => {
  expect(found(`${TWO}gateway: { mcp: { prefix: false } }`)).toEqual(["spec.conflict gateway.mcp.prefix"]);
  expect(found("tools: { a: { command: [x] } }\ngateway: { mcp: { prefix: false } }")).toEqual([]);
  expect(
    found(
      "tools: { a: { command: [x] }, b: { command: [y], enabled: false } }\ngateway: { mcp: { prefix: false } }",
    ),
  ).toEqual([]);
});

it("a server that is offered on no transport that is served is told", () => {
  expect(found("tools: { a: { command: [x], exposure: [sse] } }")).toEqual([
    "spec.conflict tools.a.exposure",
  ]);
  expect(
    found("tools: { a: { command: [x], exposure: [sse] } }\ngateway: { mcp: { legacySse: true } }"),
  ).toEqual([]);
});

it("tokens need an address that clients can type", () => {
  const oauth = (gateway: string): string =>
    `keys: { k: { env: K } }\ngateway: { ${gateway}, mcp: { oauth: { issuer: https://login.example.com, scopes: { a: k } } } }`;
  expect(found(oauth("host: 0.0.0.0"))).toEqual(["spec.missing-key gateway.mcp.oauth"]);
  expect(found(oauth("host: 0.0.0.0, publicUrl: https://ai.example.com"))).toEqual([]);
  expect(found(oauth("host: 192.168.1.5"))).toEqual([]);
});

it("rights of a token are those of a key that is there", () => {
  const oauth = (key: string): string =>
    `keys: { laptop: { env: K } }\ngateway: { mcp: { oauth: { issuer: https://login.example.com, scopes: { "mcp:tools": ${key} } } } }`;
  expect(found(oauth("laptop"))).toEqual([]);
  expect(found(oauth("labtop"))).toEqual(['spec.unknown-reference gateway.mcp.oauth.scopes["mcp:tools"]']);
});

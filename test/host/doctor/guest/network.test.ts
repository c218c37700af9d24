import { expect, it } from "vitest";
import { linux } from "./recordings.ts";
import { findingsOf, troubleOf, troubles } from "./situation.ts";

const MODEL =
  "models: { small: { source: hf:acme/small-GGUF, family: Llama-3.1-8B-Instruct, quantization: Q4_K_M, TOKEN } }\n";
const SERVICE = "services: { chat: { model: small, engine: llama.cpp, devices: cpu, port: 8001 } }\n";
const SPEC = `runtime: process\n${MODEL.replace(", TOKEN", "")}${SERVICE}`;

it("a port of the plan that another program holds is told with the program", async () => {
  const base = linux();
  const findings = await findingsOf({
    ...base,
    spec: SPEC,
    commands: {
      ...base.commands,
      ss:
        'LISTEN 0      2048         0.0.0.0:8001      0.0.0.0:*    users:(("python3",pid=4711,fd=6))\n' +
        'LISTEN 0      511        127.0.0.1:4664      0.0.0.0:*    users:(("node",pid=77,fd=21))\n',
    },
  });
  expect(troubles(findings)).toEqual([
    "note network.ports port 4664 (the gateway)",
    "error network.ports port 8001 (service chat)",
  ]);
  const taken = findings.find(({ subject }) => subject === "port 8001 (service chat)");
  expect(taken).toMatchObject({ seen: "taken by python3, process 4711", path: "services.chat.port" });
});

it("without ss the kernel's own table tells that somebody listens", async () => {
  const base = linux();
  const { ss: _absent, ...commands } = base.commands;
  const line =
    "   0: 00000000:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n";
  const findings = await findingsOf({
    ...base,
    spec: SPEC,
    commands,
    files: { ...base.files, "/proc/net/tcp": `  sl  local_address rem_address   st\n${line}` },
  });
  expect(troubles(findings)).toEqual(["warning network.ports port 8001 (service chat)"]);
});

it("a registry that answers plain HTTP to https is told by name, and the other way round", async () => {
  const spec = (insecure: string): string =>
    `guest: { registries: { local: { address: "192.168.3.10:5000"${insecure} } } }\nruntime: process\n`;
  const plain = "write EPROTO: packet length too long";
  const findings = await findingsOf({
    ...linux(),
    spec: spec(""),
    answers: { "https://192.168.3.10:5000/v2/": plain },
  });
  expect(troubles(findings)).toEqual(["error network.registries registry 192.168.3.10:5000"]);
  expect(troubleOf(findings, "network.registries")).toMatchObject({
    seen: `speaks plain HTTP, and https fails: ${plain}`,
    wanted: "HTTPS, because insecure is false",
    path: "guests.omni.registries.local",
  });
  expect(troubleOf(findings, "network.registries").remedy).toMatch(/^insecure: true/);
  expect(troubles(await findingsOf({ ...linux(), spec: spec(", insecure: true") }))).toEqual([]);
  const gone = {
    "http://192.168.3.10:5000/v2/": "connect ECONNREFUSED",
    "https://192.168.3.10:5000/v2/": "connect ECONNREFUSED",
  };
  const none = await findingsOf({ ...linux(), spec: spec(", insecure: true"), answers: gone });
  expect(troubleOf(none, "network.registries").seen).toBe("connect ECONNREFUSED");
});

it("a hub that refuses the token never sees it shown, and a model behind a licence says so", async () => {
  const secret = "hf_secretsecretsecret";
  const guarded = (headers: Readonly<Record<string, string>>): number =>
    headers["authorization"] === `Bearer ${secret}` ? 200 : 401;
  const repository = "https://huggingface.co/api/models/acme/small-GGUF/revision/main";
  const refused = await findingsOf({
    ...linux(),
    spec: SPEC,
    secrets: { HF_TOKEN: "hf_old" },
    answers: { "https://huggingface.co/api/whoami-v2": guarded, [repository]: guarded },
  });
  expect(troubles(refused)).toEqual([
    "error network.hub token for https://huggingface.co",
    "error network.hub model small (acme/small-GGUF@main)",
  ]);
  expect(JSON.stringify(refused)).not.toContain("hf_old");
  const accepted = await findingsOf({
    ...linux(),
    spec: SPEC,
    secrets: { HF_TOKEN: secret },
    answers: { "https://huggingface.co/api/whoami-v2": guarded, [repository]: guarded },
  });
  expect(troubles(accepted)).toEqual([]);
  expect(JSON.stringify(accepted)).not.toContain(secret);
});

it("a token that the spec names and nobody has set", async () => {
  const source =
    "models: { small: { source: { hub: acme/small-GGUF, token: { env: ACME_TOKEN } }, family: Llama-3.1-8B-Instruct, quantization: Q4_K_M } }\n";
  const findings = await findingsOf({ ...linux(), spec: `runtime: process\n${source}${SERVICE}` });
  expect(troubles(findings)).toEqual(["error network.hub token for https://huggingface.co"]);
  expect(troubleOf(findings, "network.hub").seen).toBe("ACME_TOKEN is not set");
});

it("a clock that is ten minutes behind", async () => {
  const now = Date.UTC(2026, 0, 1);
  const findings = await findingsOf({ ...linux(), now, serverTime: now + 600_000 });
  expect(troubles(findings)).toEqual(["note containers.docker", "error network.clock"]);
  expect(troubleOf(findings, "network.clock").seen).toBe("600 s behind huggingface.co");
});

it("no network at all: every finding has a name, and nothing hangs or throws", async () => {
  const findings = await findingsOf({
    ...linux(),
    spec: SPEC,
    unresolved: { "*": "getaddrinfo EAI_AGAIN" },
    answers: { "*": "getaddrinfo EAI_AGAIN huggingface.co" },
  });
  expect(troubles(findings)).toEqual([
    "error network.names huggingface.co",
    "error network.hub https://huggingface.co",
  ]);
  const several = await findingsOf({
    ...linux(),
    spec: `${SPEC}guest: { talos: { version: "1.12.11", factory: "https://factory.example" }, registries: { local: { address: "192.168.3.10:5000" } } }\n`,
    unresolved: { "*": "getaddrinfo EAI_AGAIN" },
    answers: { "*": "getaddrinfo EAI_AGAIN" },
  });
  expect(troubles(several)).toEqual([
    "error network.names huggingface.co, factory.example",
    "error network.hub https://huggingface.co",
    "error network.registries registry 192.168.3.10:5000",
    "warning network.image-factory https://factory.example",
  ]);
  expect(troubleOf(several, "network.names").why).toMatch(/^No name resolves/);
  const alone = await findingsOf({
    ...linux(),
    unresolved: { "*": "getaddrinfo EAI_AGAIN" },
    answers: { "*": "getaddrinfo EAI_AGAIN huggingface.co" },
  });
  expect(troubles(alone)).toEqual([
    "note containers.docker",
    "warning network.names huggingface.co",
    "warning network.hub https://huggingface.co",
  ]);
});

it("a proxy that would swallow the local network, its password left out", async () => {
  const base = linux();
  const findings = await findingsOf({
    ...base,
    spec: 'guest: { registries: { local: { address: "192.168.3.10:5000" } } }\nruntime: process\n',
    commands: {
      ...base.commands,
      env: "HTTPS_PROXY=http://me:secret@proxy.corp:3128\nno_proxy=localhost,127.0.0.1\n",
    },
  });
  expect(troubles(findings)).toEqual(["warning network.proxy"]);
  expect(troubleOf(findings, "network.proxy").seen).toBe(
    "HTTPS_PROXY=http://…@proxy.corp:3128; NO_PROXY lacks 192.168.3.10",
  );
});

it("an image factory that does not answer stops no node that runs", async () => {
  const findings = await findingsOf({
    ...linux(),
    spec: 'guest: { talos: { version: "1.12.11", factory: "https://factory.example" } }\nruntime: process\n',
    answers: { "https://factory.example/versions": 503 },
  });
  expect(troubles(findings)).toEqual(["warning network.image-factory https://factory.example"]);
});

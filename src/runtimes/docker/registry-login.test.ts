import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { registryLogin } from "./registry-login.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-login-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const login = (config: unknown, image: string) => {
  writeFileSync(join(folder, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return registryLogin(image, { DOCKER_CONFIG: folder, PATH: `${folder}:/usr/bin:/bin` });
};

/** A helper that knows one server, and writes what it was asked for. */
function helper(name: string, server: string, answer: unknown): void {
  const path = join(folder, `docker-credential-${name}`);
  writeFileSync(
    path,
    `#!/bin/sh\nread -r asked\n[ "$1" = get ] && [ "$asked" = "${server}" ] || { echo "credentials not found"; exit 1; }\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`,
  );
  chmodSync(path, 0o755);
}

test("the file's own entries, by host, for Docker Hub under its old address", async () => {
  const auths = {
    "https://index.docker.io/v1/": { auth: base64("hub:a:b") },
    "ghcr.io": { username: "cat", password: "purr" },
    "registry.example:5000": { identitytoken: "long-lived" },
  };
  expect(await login({ auths }, "vllm/vllm-openai:v0.12.0")).toEqual({
    serveraddress: "https://index.docker.io/v1/",
    username: "hub",
    password: "a:b",
  });
  expect(await login({ auths }, "ghcr.io/ggml-org/llama.cpp:server")).toEqual({
    serveraddress: "ghcr.io",
    username: "cat",
    password: "purr",
  });
  expect(await login({ auths }, "registry.example:5000/a")).toMatchObject({ identitytoken: "long-lived" });
  expect(await login({ auths }, "quay.io/a/b")).toBeUndefined();
});

test("a helper of the registry is asked before the store, and the store before the file", async () => {
  helper("own", "ghcr.io", { ServerURL: "ghcr.io", Username: "from-helper", Secret: "s1" });
  helper("store", "nvcr.io", { ServerURL: "nvcr.io", Username: "<token>", Secret: "t1" });
  const config = {
    auths: { "ghcr.io": { auth: base64("from:file") }, "quay.io": { auth: base64("quay:file") } },
    credHelpers: { "ghcr.io": "own" },
    credsStore: "store",
  };
  expect(await login(config, "ghcr.io/a/b")).toMatchObject({ username: "from-helper", password: "s1" });
  expect(await login(config, "nvcr.io/nvidia/tritonserver:26.01")).toEqual({
    serveraddress: "nvcr.io",
    identitytoken: "t1",
  });
  // The store knows nothing of it: what stands in the file holds.
  expect(await login(config, "quay.io/a/b")).toMatchObject({ username: "quay", password: "file" });
});

test("a broken file, a helper that is not there and one that is a path are no login", async () => {
  expect(await login("{not json", "ghcr.io/a")).toBeUndefined();
  expect(await login({ credsStore: "nowhere" }, "ghcr.io/a")).toBeUndefined();
  expect(await login({ credsStore: "../../bin/sh" }, "ghcr.io/a")).toBeUndefined();
});

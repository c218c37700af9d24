import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SHELL } from "../../../src/render/kubernetes/command-module.ts";
import { kubernetes } from "../../../src/render/kubernetes/index.ts";
import { WAIT } from "../../../src/render/kubernetes/wait-for.ts";
import { clusterDeployment } from "./cluster-spec.ts";

const which = (tool: string): string =>
  spawnSync("sh", ["-c", `command -v ${tool}`])
    .stdout.toString()
    .trim();
const shellcheck = which("shellcheck");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-kubernetes-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A folder with these programs of the machine alone, as a PATH. */
function pathOf(...tools: readonly string[]): string {
  for (const tool of tools)
    writeFileSync(
      join(folder, tool),
      `#!/bin/sh\nPATH='${process.env["PATH"]}' exec '${which(tool)}' "$@"\n`,
      { mode: 0o755 },
    );
  return folder;
}

describe("rendered shell", () => {
  it.skipIf(shellcheck === "").each([
    ["command module", SHELL],
    ["wait-for", WAIT],
  ])("%s passes shellcheck (needs shellcheck)", (_name, script) => {
    const { stdout, status } = spawnSync(shellcheck, ["--shell=sh", "-"], { input: script });
    expect(stdout.toString()).toBe("");
    expect(status).toBe(0);
  });

  it("README's commands are bash that parses", async () => {
    const deployment = await clusterDeployment({
      service: { environment: { A: { file: "/run/it's `x` $(id)" } } },
    });
    const readme = kubernetes.render(deployment).artifacts.find(({ path }) => path.endsWith("README.md"));
    const blocks = [...(readme?.content ?? "").matchAll(/^(```+)sh\n([^]*?)\n\1$/gm)].map(
      ([, , code]) => code ?? "",
    );
    expect(blocks.length).toBeGreaterThan(2);
    for (const code of blocks) execFileSync("bash", ["-n"], { input: code });
  });

  it("README's Secret gets the values as they are, and without a file's last newline", async () => {
    const file = join(folder, "to'ken $(id)");
    writeFileSync(file, "from-file\n");
    const deployment = await clusterDeployment({
      service: { environment: { A: { file }, B: { env: "FROM_ENV" } } },
    });
    const readme = kubernetes.render(deployment).artifacts.find(({ path }) => path.endsWith("README.md"));
    const blocks = [...(readme?.content ?? "").matchAll(/^(```+)sh\n([^]*?)\n\1$/gm)].map(
      ([, , code]) => code ?? "",
    );
    const code = blocks.find((one) => one.includes("create secret generic")) ?? "";
    const fake =
      'kubectl() { [ "$1" = apply ] && return; for a in "$@"; do case $a in --from-file=*) printf "%s=" "${a#--from-file=}" | cut -d= -f1 | tr -d "\\n"; printf "=[%s]\\n" "$(cat "/dev/fd/${a##*/}"; printf x)"; esac; done >&2; }\n';
    const { stderr } = spawnSync("bash", ["-c", fake + code], {
      env: { ...process.env, FROM_ENV: "$(id) 'x'", OMNI_KEY: "k" },
    });
    const said = stderr.toString();
    expect(said).toContain("FROM_ENV=[$(id) 'x'x]");
    expect(said).toMatch(/to_ken[^=]*=\[from-filex\]/);
  });
});

describe("the shell of the command module", () => {
  it("installs its packages as words, says when it cannot, and leaves at once on SIGTERM", async () => {
    const tools = pathOf("sleep");
    const log = join(folder, "log");
    writeFileSync(join(folder, "apt-get"), `#!/bin/sh\nfor word; do echo "[$word]"; done >>'${log}'\n`, {
      mode: 0o755,
    });
    const child = spawn("/bin/sh", ["-c", SHELL, "command-module", "git", "$(id)", "-y"], {
      env: { PATH: tools },
      detached: true,
    });
    await once(child.stdout, "data");
    const began = performance.now();
    if (child.pid !== undefined) process.kill(child.pid, "SIGTERM");
    const [code] = await once(child, "exit");
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // The group has gone with its leader.
    }
    expect(code).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(readFileSync(log, "utf8")).toMatch(/\[update\]\n[^]*\[--\]\n\[git\]\n\[\$\(id\)\]\n\[-y\]\n$/);
  });

  it("stays without a package manager", async () => {
    const child = spawn("/bin/sh", ["-c", SHELL, "command-module", "git"], {
      env: { PATH: pathOf("sleep") },
      detached: true,
    });
    const errors: string[] = [];
    child.stderr.on("data", (data: Buffer) => errors.push(data.toString()));
    const [said] = await once(child.stdout, "data");
    expect(String(said)).toBe("ready\n");
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await once(child, "exit");
    expect(errors.join("")).toContain("no apt-get, apk or dnf in this image");
  });
});

describe("waiting for another service", () => {
  it.each(["curl", "wget", "python3"].filter((tool) => which(tool) !== ""))(
    "asks with %s until it is ready",
    async (tool) => {
      let asked = 0;
      const server = createServer((_request, response) => {
        asked += 1;
        response.writeHead(asked < 2 ? 503 : 200).end();
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
      const { port } = address;
      writeFileSync(join(folder, "sleep"), "#!/bin/sh\n", { mode: 0o755 });
      const child = spawn("/bin/sh", ["-ec", WAIT, "wait-for", `http://127.0.0.1:${port}/health`], {
        env: { PATH: pathOf(tool) },
        stdio: "ignore",
      });
      try {
        const [code] = await once(child, "exit", { signal: AbortSignal.timeout(20_000) });
        expect(code).toBe(0);
      } finally {
        child.kill("SIGKILL");
        server.close();
        server.closeAllConnections();
      }
      expect(asked).toBe(2);
    },
  );

  it("starts anyway where the image has nothing to ask with, and says so", () => {
    const { status, stdout } = spawnSync("/bin/sh", ["-ec", WAIT, "wait-for", "http://127.0.0.1:1/"], {
      env: { PATH: folder },
    });
    expect(status).toBe(0);
    expect(stdout.toString()).toContain("starting without waiting for http://127.0.0.1:1/");
  });
});

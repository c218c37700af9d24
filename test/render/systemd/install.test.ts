import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Deployment } from "../../../src/deployment/index.ts";
import { systemd } from "../../../src/render/systemd/index.ts";
import { deploymentOf, referenceDeployment } from "../deployments.ts";

const installed = (tool: string): boolean => spawnSync(tool, ["--version"]).error === undefined;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-install-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A reference system whose engines are units of their own. */
async function asUnits(name: string): Promise<Deployment> {
  const deployment = await referenceDeployment(name);
  return { ...deployment, process: { ...deployment.process, systemd: true } };
}

/** Writes what the target renders, with a systemctl that only notes how it was called. */
async function rendered(name: string): Promise<{ readonly out: string; readonly root: string }> {
  const out = join(folder, name);
  const root = join(out, "it's a root");
  const { artifacts } = systemd.render(await asUnits(name));
  for (const { path, content, mode } of artifacts) write(join(out, path), content, mode);
  write(join(out, "bin/systemctl"), `#!/bin/sh\necho "$*" >>'${out}/systemctl'\n`, 0o755);
  write(join(root, "usr/local/bin/omni"), "#!/bin/sh\n", 0o755);
  return { out, root };
}

function write(path: string, content: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
}

const install = (out: string, ...args: readonly string[]) =>
  spawnSync("sh", [join(out, "systemd/install.sh"), ...args], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${join(out, "bin")}:${process.env["PATH"] ?? ""}` },
  });

describe("install.sh", () => {
  it("copies, makes files for secrets once, and enables; a dry run does none of it", async () => {
    const { out, root } = await rendered("workstation");
    const dry = install(out, "--dry-run", "--root", root);
    expect({ status: dry.status, err: dry.stderr }).toEqual({ status: 0, err: "" });
    expect(dry.stdout).toContain("+ install -D -m 0644");
    expect([existsSync(join(root, "etc")), existsSync(join(out, "systemctl"))]).toEqual([false, false]);

    const real = install(out, "--root", root);
    expect({ status: real.status, err: real.stderr }).toEqual({ status: 0, err: "" });
    for (const unit of ["omni-chat.service", "omni-gateway.service", "omni.target", "omni.slice"])
      expect(readFileSync(join(root, "etc/systemd/system", unit), "utf8")).toBe(
        readFileSync(join(out, "systemd", unit), "utf8"),
      );
    expect(statSync(join(root, "usr/local/lib/omni/wait-ready")).mode & 0o777).toBe(0o755);
    const secrets = join(root, "etc/omni/omni-gateway.env");
    expect(statSync(secrets).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(out, "systemctl"), "utf8")).toBe(
      `--root=${root} enable omni-chat.service omni-gateway.service omni.target\n`,
    );

    writeFileSync(secrets, "OMNI_KEY_LAPTOP=kept\n");
    expect(install(out, "--root", root).status).toBe(0);
    expect(readFileSync(secrets, "utf8")).toBe("OMNI_KEY_LAPTOP=kept\n");
  });

  it("asks for the owner's spec where Omni runs the engines, and says what else is missing", async () => {
    const { out, root } = await rendered("laptop");
    const without = install(out, "--root", root);
    expect(without.status).toBe(1);
    expect(without.stderr).toContain("etc/omni/omni.yaml is not there");
    writeFileSync(join(out, "omni.yaml"), "omni: 1\n");
    expect(install(out, "--root", root, "--spec", join(out, "omni.yaml")).status).toBe(0);
    expect(readFileSync(join(root, "etc/omni/omni.yaml"), "utf8")).toBe("omni: 1\n");
    rmSync(join(root, "usr/local/bin/omni"));
    expect(install(out, "--root", root).stderr).toContain("ln -s /opt/omni/omni /usr/local/bin/omni");
    expect(install(out, "--rot").status).toBe(2);
  });

  it("takes the compose project along, with an .env that stays", async () => {
    const { out, root } = await rendered("concrete-bunker.fixed");
    const without = install(out, "--root", root);
    expect(without.stderr).toContain("compose/compose.yaml is not there");
    write(join(out, "compose/compose.yaml"), "services: {}\n", 0o644);
    write(join(root, "etc/omni/compose/.env"), "KEY=kept\n", 0o600);
    expect(install(out, "--root", root).status).toBe(0);
    expect(readFileSync(join(root, "etc/omni/compose/compose.yaml"), "utf8")).toBe("services: {}\n");
    expect(readFileSync(join(root, "etc/omni/compose/.env"), "utf8")).toBe("KEY=kept\n");
  });

  it.skipIf(!installed("systemctl"))(
    "enables with the real systemctl (skipped where there is none)",
    async () => {
      const { out, root } = await rendered("workstation");
      rmSync(join(out, "bin/systemctl"));
      const { status, stderr } = install(out, "--root", root);
      expect(status, stderr).toBe(0);
      for (const link of ["omni.target.wants/omni-chat.service", "multi-user.target.wants/omni.target"])
        expect(existsSync(join(root, "etc/systemd/system", dirname(link))), link).toBe(true);
    },
  );

  it.skipIf(!installed("shellcheck"))(
    "and wait-ready pass shellcheck (skipped where it is not installed)",
    async () => {
      const named = await deploymentOf(`omni: 1
name: n
runtime: { kind: process, process: { systemd: true, user: omni, logFolder: "/var/log/it's omni" } }
models: { m: builtin:omni-demo }
services: { s: { model: m } }
`);
      for (const deployment of [
        named,
        ...(await Promise.all(["workstation", "laptop", "concrete-bunker"].map(asUnits))),
      ])
        for (const { path, content } of systemd
          .render(deployment)
          .artifacts.filter(({ mode }) => mode === 0o755)) {
          const { status, stdout } = spawnSync("shellcheck", ["-s", "sh", "-"], {
            input: content,
            encoding: "utf8",
          });
          expect({ path, status, stdout }).toEqual({ path, status: 0, stdout: "" });
        }
    },
  );
});

describe.skipIf(!installed("curl") && !installed("wget"))(
  "wait-ready (skipped without curl and wget)",
  () => {
    it("waits until the engine answers 200", async () => {
      const { out } = await rendered("laptop");
      let asked = 0;
      const server = createServer((_request, response) => {
        asked += 1;
        response.writeHead(asked < 2 ? 503 : 200).end();
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      try {
        const child = spawn(join(out, "systemd/wait-ready"), [`http://127.0.0.1:${port}/health`], {
          stdio: "ignore",
        });
        const [code] = await once(child, "close");
        expect({ code, asked }).toEqual({ code: 0, asked: 2 });
      } finally {
        server.close();
      }
    });

    it("fails when the engine has ended", async () => {
      const { out } = await rendered("laptop");
      const ended = execFileSync("sh", ["-c", "echo $$"], { encoding: "utf8" }).trim();
      const { status, stderr } = spawnSync(join(out, "systemd/wait-ready"), ["http://127.0.0.1:1/health"], {
        encoding: "utf8",
        env: { ...process.env, MAINPID: ended },
      });
      expect(status).toBe(1);
      expect(stderr).toContain(`the engine (PID ${ended}) ended`);
    });
  },
);

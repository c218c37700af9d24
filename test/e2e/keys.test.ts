import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { eventually, omni, startNode, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
afterAll(() => {
  vi.unstubAllEnvs();
  folder.remove();
});

const specWith = (file: string): string =>
  `omni: 1\nmodels: { chat: builtin:omni-demo }\nkeys: { me: { file: ${file} } }\n`;
const SECRET = "a-secret-of-the-owner";

it.each(["./key", "~/key"])(
  "a node with keys asks for one, takes it from the file %s, and never repeats it",
  async (file) => {
    rmSync(join(folder.path, "key"), { force: true });
    vi.stubEnv("HOME", file.startsWith("~") ? folder.path : process.env["HOME"]);
    // The spec lies elsewhere than the home folder, so that the two are told apart.
    const own = file.startsWith("~") ? join(folder.path, "spec") : folder.path;
    mkdirSync(own, { recursive: true });
    const spec = join(own, "omni.yaml");
    const state = join(folder.path, "state");
    writeFileSync(spec, specWith(file));
    const without = await omni(["up", spec, "--port", "0"], state);
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining("key.unset") });

    writeFileSync(join(folder.path, "key"), `${SECRET}\n`);
    const node = await startNode([spec], state);
    try {
      expect((await fetch(`${node.url}/v1/models`)).status).toBe(401);
      expect(
        (await fetch(`${node.url}/v1/models`, { headers: { authorization: `Bearer ${SECRET}` } })).status,
      ).toBe(200);
      const refused = await omni(["status"], state);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("OMNI_KEY") });
      const events = await omni(["events", "--json"], state);
      await eventually(() => node.stdout().includes("curl"));
      expect([node.stdout(), node.stderr(), refused.stderr, events.stdout].join("\n")).not.toContain(SECRET);
      expect(node.stdout()).toContain('-H "authorization: Bearer $OMNI_KEY"');
    } finally {
      await node.interrupt();
    }
  },
);

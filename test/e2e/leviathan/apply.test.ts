import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { signature, tool, uuidOf } from "../../fakes/loop-disk.ts";
import { omni } from "../run-node.ts";
import { effectsOf, openHouse, openRoom, SECRET, SERIAL } from "./room.ts";
import type { Room } from "./room.ts";

const house = await openHouse();
const skipped = typeof house === "string" ? ` (skipped: ${house})` : "";
afterAll(async () => {
  if (typeof house !== "string") await house.close();
});

let room: Room;
beforeEach(async () => {
  if (typeof house !== "string") room = await openRoom(house);
});
afterEach(async () => {
  if (typeof house !== "string") await room.close();
});

const apply = (...args: readonly string[]) =>
  omni(["apply", ...args, room.spec], room.state, undefined, { env: room.environment });
const FORMAT = ["--consent", `format:${SERIAL}`];

/** Every step of a finished run with what it came to. */
const stepsOf = (stdout: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...stdout.matchAll(/^(there|done|failed|refused|not executed|waits for consent)\s{2,}(\S+)/gm)].map(
      ([, state = "", id = ""]) => [id, state],
    ),
  );

describe.skipIf(skipped !== "")(`the leviathan runbook${skipped}`, () => {
  it("goes from a blank disk to an endpoint, by the engine that can be built, and finds all of it there afterwards", async () => {
    const done = await apply("--yes", ...FORMAT);
    expect(stepsOf(done.stdout)).toEqual({
      "host/leviathan": "there",
      "boot/leviathan": "done",
      "reboot/leviathan": "there",
      "vm/leviathan": "done",
      "cluster/leviathan": "there",
      "disk/nvme": "done",
      "namespace/leviathan": "done",
      "secret/leviathan": "done",
      "model/deepseek": "done",
      "engine/leviathan": "failed",
      "engine/llama": "done",
      "engine/omni": "there",
      "service/leviathan": "done",
      gateway: "done",
      health: "there",
      "route/deepseek": "done",
    });
    expect(done.code).toBe(0);
    expect(done.stderr).toContain("COPY failed: file not found in build context");
    const effects = effectsOf(room);
    expect(effects).toEqual({ created: 1, started: 1, formatted: 1 });
    const answer = await fetch(`${room.gateway}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: "deepseek",
        messages: [{ role: "user", content: "Hello" }],
        max_tokens: 8,
      }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-omni-service")).toBe("leviathan");

    const again = await apply("--yes");
    expect(new Set(Object.values(stepsOf(again.stdout)))).toEqual(new Set(["there"]));
    expect(again.code).toBe(0);
    expect(effectsOf(room)).toEqual(effects);

    const report = await omni(["apply", "--report", room.spec], room.state, undefined, {
      env: room.environment,
    });
    expect(report.code).toBe(0);
    const text = readFileSync(room.report, "utf8");
    expect(text).toContain(`format:${SERIAL}`);
    expect(text).toMatch(/engine\/leviathan.*\n?[\s\S]*llama/);
    expect(text).toMatch(/tok\/s/);
    const kept = readdirSync(room.state, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name)))
      .filter((bytes) => bytes.includes(SECRET));
    expect(kept).toEqual([]);
  }, 300_000);

  it("sees what was taken away since, and brings that back without formatting again", async () => {
    expect((await apply("--yes", ...FORMAT)).code).toBe(0);
    const uuid = uuidOf(room.disk);
    for (const { metadata } of room.cluster.store.list("deployments"))
      room.cluster.store.remove("deployments", metadata.name);
    tool("umount", "--lazy", room.mount);
    const again = await apply("--yes");
    expect(again.stdout).toContain("drift");
    expect(stepsOf(again.stdout)).toMatchObject({
      "disk/nvme": "done",
      "service/leviathan": "done",
      gateway: "done",
      "vm/leviathan": "there",
    });
    expect(again.code).toBe(0);
    expect(uuidOf(room.disk)).toBe(uuid);
    expect(effectsOf(room).formatted).toBe(1);
  }, 300_000);

  it("never formats a disk that carries something, nor one of another serial, whatever was agreed to", async () => {
    tool("mkfs.ext4", "-q", "-L", "photos", room.disk.device);
    const before = signature(room.disk);
    const refused = await apply("--yes", ...FORMAT, "--only", "disk/nvme");
    expect(refused.code).toBe(3);
    expect(refused.stderr + refused.stdout).toContain("ext4");
    expect(signature(room.disk)).toBe(before);
    const text = readFileSync(room.spec, "utf8");
    writeFileSync(room.spec, text.replace(`serial: ${SERIAL}`, "serial: S7XXNJ0W999999"));
    const other = await apply("--yes", "--consent", "format:S7XXNJ0W999999", "--only", "disk/nvme");
    expect(other.code).toBe(3);
    expect(signature(room.disk)).toBe(before);
    expect(effectsOf(room).formatted).toBe(0);
  }, 120_000);

  it("changes nothing in a dry run", async () => {
    const before = room.host.snapshot();
    const dry = await apply("--dry-run");
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain(`--consent format:${SERIAL}`);
    expect(room.host.snapshot()).toEqual(before);
    expect(effectsOf(room)).toEqual({ created: 0, started: 0, formatted: 0 });
    expect(
      room.cluster.requests.filter(({ method, query }) => method !== "GET" && query["dryRun"] === undefined),
    ).toEqual([]);
    expect(signature(room.disk)).toBe("");
  }, 60_000);
});

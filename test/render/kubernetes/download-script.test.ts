import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DOWNLOAD_SCRIPT } from "../../../src/render/kubernetes/storage/download-script.ts";
import { DownloadHub, type HubFile } from "../../fakes/download-hub.ts";

const which = (name: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

const curl = which("curl");
const busybox = which("busybox");
/** What the script takes from busybox in the image that it is made for. */
const APPLETS = [
  "sh",
  "awk",
  "cat",
  "cut",
  "df",
  "dirname",
  "mkdir",
  "mktemp",
  "mv",
  "od",
  "printf",
  "rm",
].concat(["sed", "sha1sum", "sha256sum", "sleep", "stat", "sync", "tail", "tr", "xargs"]);

let folder: string;
let hub: DownloadHub;

const HOSTILE = [
  "with space.bin",
  "$(touch owned).bin",
  "'quote\" `id`.bin",
  "-rf.bin",
  "a;b|c&d.bin",
  "ünï\\code.bin",
];
const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni-download-"));
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "download.sh"), DOWNLOAD_SCRIPT);
});

afterEach(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly text: string;
}

/** Runs the script as its Job does; a wrapper writes down what a command line of curl shows to others. */
async function download(
  settings: Record<string, string> = {},
  shell = "/bin/sh",
  path = "",
): Promise<Outcome> {
  const wrapper = join(folder, "bin", "curl");
  await writeFile(wrapper, `#!/bin/sh\nprintf '%s\\n' "$*" >>'${folder}/shown'\nexec '${curl}' "$@"\n`);
  await chmod(wrapper, 0o755);
  const env = {
    PATH: `${join(folder, "bin")}:${path === "" ? (process.env["PATH"] ?? "") : path}`,
    TMPDIR: folder,
    OMNI_ENDPOINT: hub.endpoint,
    OMNI_REPOSITORY: "owner/model",
    OMNI_REVISION: "main",
    OMNI_TARGET: join(folder, "disk", "models"),
    OMNI_PAUSE: "0",
    OMNI_ATTEMPTS: "3",
    OMNI_RESERVE: "0",
    ...settings,
  };
  return new Promise((resolve) => {
    execFile(shell, [join(folder, "download.sh")], { env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, text: `${stdout}${stderr}` });
    });
  });
}

const file = (path: string, content = CONTENT, more: Partial<HubFile> = {}): HubFile => ({
  path,
  content,
  large: true,
  ...more,
});
const read = (path: string): Promise<Buffer> => readFile(join(folder, "disk", "models", path));
const names = async (): Promise<string[]> => {
  const root = join(folder, "disk", "models");
  if (!existsSync(root)) return [];
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(".omni-download"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
};

describe.skipIf(curl === undefined)("the download script against a hub (needs curl)", () => {
  it("downloads what the globs name, from every page of the listing, and nothing on a second run", async () => {
    hub = await DownloadHub.start(
      [
        file("Q4/model-Q4_K_M-00001-of-00002.gguf"),
        file("Q4/model-Q4_K_M-00002-of-00002.gguf"),
        file("model-Q8_0.gguf"),
        file("config.json", Buffer.from("{}\n"), { large: false }),
      ],
      2,
    );
    const first = await download({ OMNI_FILES: "*q4_k_m*\n*.json", OMNI_CONNECTIONS: "3" });
    expect(first).toMatchObject({ code: 0 });
    expect(first.text).toContain("3 files wanted, 3 missing, 600003 bytes to download");
    expect(await names()).toEqual([
      "Q4/model-Q4_K_M-00001-of-00002.gguf",
      "Q4/model-Q4_K_M-00002-of-00002.gguf",
      "config.json",
    ]);
    expect(await read("Q4/model-Q4_K_M-00002-of-00002.gguf")).toEqual(CONTENT);
    const before = hub.contents.length;
    const second = await download({ OMNI_FILES: "*q4_k_m*\n*.json" });
    expect(second.code).toBe(0);
    expect(second.text).toContain("3 files wanted, 0 missing, 0 bytes to download");
    expect(hub.contents).toHaveLength(before);
  });

  it("goes on where a connection broke, as often as it has to", async () => {
    hub = await DownloadHub.start([file("model.gguf")]);
    hub.cuts.push(100_000, 50_000, 0, 60_000);
    const { code, text } = await download();
    expect(text).toContain("model.gguf: going on at byte 100000 of 300000");
    expect(code).toBe(0);
    expect(await read("model.gguf")).toEqual(CONTENT);
    expect(hub.contents.map(({ range }) => range)).toEqual([
      undefined,
      "bytes=100000-",
      "bytes=150000-",
      "bytes=150000-",
      "bytes=210000-",
    ]);
  });

  it("takes up what an earlier run left, and drops what belongs to an older revision", async () => {
    hub = await DownloadHub.start([file("model.gguf")]);
    hub.cuts.push(100_000, 0, 0, 0, 0, 0);
    const broken = await download();
    expect(broken.code).toBe(1);
    expect(broken.text).toContain("model.gguf: given up after 3 attempts");
    expect(broken.text).toContain("run again to go on where it stopped");
    const [part] = await names();
    expect(part).toMatch(/^model\.gguf\.[0-9a-f]{12}\.part$/);
    await writeFile(join(folder, "disk", "models", "model.gguf.0123456789ab.part"), "old");
    hub.cuts.length = 0;
    const { code, text } = await download();
    expect(code).toBe(0);
    expect(text).toContain("1 missing, 200000 bytes to download");
    expect(hub.contents.at(-1)?.range).toBe("bytes=100000-");
    expect(await names()).toEqual(["model.gguf"]);
    expect(await read("model.gguf")).toEqual(CONTENT);
  });

  it("starts over where the server does not resume", async () => {
    hub = await DownloadHub.start([file("model.gguf")]);
    hub.ranges = false;
    hub.cuts.push(100_000);
    const { code, text } = await download();
    expect(text).toContain("the server cannot resume");
    expect(code).toBe(0);
    expect(await read("model.gguf")).toEqual(CONTENT);
  });

  it("removes what has the wrong digest and never gives it its name", async () => {
    hub = await DownloadHub.start([
      file("bad.gguf", CONTENT, { digest: "0".repeat(64) }),
      file("small.json", Buffer.from("{}"), { large: false, digest: "1".repeat(40) }),
      file("good.gguf"),
    ]);
    const { code, text } = await download();
    expect(code).toBe(1);
    expect(text).toContain("bad.gguf: wrong content, removed: sha256 is");
    expect(text).toContain("small.json: wrong content, removed: git-sha1 is");
    expect(await names()).toEqual(["good.gguf"]);
  });

  it("replaces a file whose content is not the hub's, and verifies one that was there before", async () => {
    hub = await DownloadHub.start([file("changed.gguf"), file("mine.gguf")]);
    await mkdir(join(folder, "disk", "models"), { recursive: true });
    await writeFile(join(folder, "disk", "models", "changed.gguf"), Buffer.alloc(CONTENT.length));
    await writeFile(join(folder, "disk", "models", "mine.gguf"), CONTENT);
    const { code, text } = await download();
    expect(code).toBe(0);
    expect(text).toContain("2 files wanted, 1 missing");
    expect(await read("changed.gguf")).toEqual(CONTENT);
    expect(hub.contents.map(({ url }) => url)).toEqual(["/changed.gguf"]);
  });

  it("sends the token to the hub only, on no command line, and says what a refusal means", async () => {
    hub = await DownloadHub.start([file("model.gguf")]);
    hub.token = "hf_secretsecretsecret";
    const without = await download();
    expect(without.code).toBe(255);
    expect(without.text).toContain("asks for a token and there is none");
    const wrong = await download({ HF_TOKEN: "hf_wrong" });
    expect(wrong.text).toContain("answers 401: the token has no access to owner/model");
    expect(wrong.text).not.toContain("hf_wrong");
    const right = await download({ HF_TOKEN: "hf_secretsecretsecret" });
    expect(right.code).toBe(0);
    expect(right.text).not.toContain("hf_secret");
    expect(hub.contents.map(({ authorization }) => authorization)).toEqual([undefined]);
    const shown = await readFile(join(folder, "shown"), "utf8");
    expect(shown).toContain("--continue-at -");
    expect(shown).not.toContain("hf_");
  });

  it("writes hostile names as they are and runs nothing", async () => {
    hub = await DownloadHub.start(
      HOSTILE.map((path, index) => file(`folder/${path}`, Buffer.from(`content ${index}`))),
    );
    const { code, text } = await download({ OMNI_CONNECTIONS: "6" });
    expect(text).toContain(`all ${HOSTILE.length} files are there and verified`);
    expect(code).toBe(0);
    expect(await names()).toEqual(HOSTILE.map((path) => `folder/${path}`).toSorted());
    for (const [index, path] of HOSTILE.entries())
      expect((await read(`folder/${path}`)).toString()).toBe(`content ${index}`);
    const second = await download();
    expect(second.text).toContain("0 missing");
  });

  it.each(["../outside.gguf", "/etc/passwd", "a/../../b", "a//b", "line\nfeed", ".omni-download/x", "a/./b"])(
    "refuses a repository with the file name %j",
    async (path) => {
      hub = await DownloadHub.start([file("good.gguf"), file(path)]);
      const { code, text } = await download({ OMNI_FILES: "good*" });
      expect(text).toContain("whose name cannot be written safely");
      expect(code).not.toBe(0);
      expect(await names()).toEqual([]);
    },
  );

  it("refuses settings that would be read as something else", async () => {
    hub = await DownloadHub.start([file("model.gguf")]);
    const about = async (settings: Record<string, string>): Promise<string> =>
      (await download(settings)).text;
    expect(await about({ OMNI_ENDPOINT: 'http://x"\noutput = "/etc/passwd' })).toContain("no plain address");
    expect(await about({ OMNI_ENDPOINT: "file:///etc" })).toContain("neither http:// nor https://");
    expect(await about({ OMNI_REPOSITORY: "../../etc" })).toContain("is no name of a repository");
    expect(await about({ HF_TOKEN: 'x"\nurl = "http://evil' })).toContain("no token of a hub has");
    expect(await about({ OMNI_REVISION: "$(id)" })).toContain("answers 404");
    expect(await about({ OMNI_REPOSITORY: "owner/none" })).toContain("answers 404: no repository owner/none");
    expect(await about({ OMNI_FILES: "*.bin" })).toContain("no file of owner/model at main fits: *.bin");
    expect(hub.contents).toEqual([]);
  });

  it("writes nothing where no disk is mounted, or too little is free", async () => {
    hub = await DownloadHub.start([file("model.gguf")]);
    const mount = join(folder, "disk");
    const table = (root: string, kind = "xfs"): string =>
      `36 35 98:0 / / rw - overlay overlay rw\n40 36 259:1 ${root} ${mount} rw,noatime master:1 - ${kind} /dev/nvme0n1 rw\n`;
    const info = join(folder, "mountinfo");
    await writeFile(info, table("/mnt/data"));
    const settings = { OMNI_MOUNT: mount, OMNI_MOUNTINFO: info };
    const refused = await download(settings);
    expect(refused.code).toBe(255);
    expect(refused.text).toContain(`no disk is mounted at ${mount}`);
    expect(await names()).toEqual([]);
    expect(hub.seen).toEqual([]);
    await writeFile(info, table("/@models", "btrfs"));
    expect((await download({ ...settings, OMNI_FILES: "none" })).text).toContain("no file of owner/model");
    await writeFile(info, table("/"));
    const full = await download({ ...settings, OMNI_RESERVE: "1000000000000000000" });
    expect(full.code).toBe(255);
    expect(full.text).toMatch(/has \d+ bytes free; 300000 are missing/);
    expect(hub.contents).toEqual([]);
    expect((await download(settings)).code).toBe(0);
  });

  it("keeps to the bandwidth, divided among the files that are downloaded at once", async () => {
    hub = await DownloadHub.start([file("a.bin", Buffer.from("a")), file("b.bin", Buffer.from("b"))]);
    expect((await download({ OMNI_RATE: "1000000", OMNI_CONNECTIONS: "8" })).code).toBe(0);
    expect(await readFile(join(folder, "shown"), "utf8")).toContain("--limit-rate 500000");
  });

  it.skipIf(busybox === undefined)(
    "works with nothing but busybox and curl, as its image has them (needs busybox)",
    async () => {
      const bin = join(folder, "busybox");
      await mkdir(bin);
      for (const applet of APPLETS) await symlink(busybox ?? "", join(bin, applet));
      hub = await DownloadHub.start([
        file("folder/$(x) 'y'.gguf"),
        file("empty.txt", Buffer.alloc(0), { large: false }),
      ]);
      hub.cuts.push(100_000);
      const { code, text } = await download({}, join(bin, "sh"), bin);
      expect(text).toContain("all 2 files are there and verified");
      expect(code).toBe(0);
      expect(await read("folder/$(x) 'y'.gguf")).toEqual(CONTENT);
      expect(await names()).toEqual(["empty.txt", "folder/$(x) 'y'.gguf"]);
    },
  );
});

it.skipIf(which("shellcheck") === undefined)(
  "the download script passes shellcheck (needs shellcheck)",
  () => {
    expect(execFileSync("shellcheck", ["-S", "style", "-"], { input: DOWNLOAD_SCRIPT }).toString()).toBe("");
  },
);

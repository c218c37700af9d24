import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
/** Rooms that decide and never act; the listed modules are what acting would need. */
const PURE = new Set([
  "core",
  "catalog",
  "spec",
  "memory",
  "plan",
  "advice",
  "engines",
  "deployment",
  "render",
  "dialects",
]);
const ACTING =
  /^node:(?:net|http|https|http2|tls|dgram|child_process|worker_threads|cluster|fs|fs\/promises|sqlite)$|^undici$/;
const CLOCKS = /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bset(?:Timeout|Interval|Immediate)\(/;

interface Source {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function table(): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>();
  for (const line of readFileSync(join(ROOT, "docs/architecture.md"), "utf8").split("\n")) {
    const row = /^\| `src\/([a-z-]+)\/` \|[^|]*\| ([^|]*) \|$/.exec(line);
    if (row === null) continue;
    const names = (row[2] ?? "").split(",").map((name) => name.trim());
    rooms.set(row[1] ?? "", new Set(names.filter((name) => name !== "nothing")));
  }
  return rooms;
}

function sources(): Source[] {
  return readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map((path) => {
      const text = readFileSync(join(ROOT, "src", path), "utf8");
      const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
      // Telling an address from a name takes no socket.
      const acting = code.replaceAll(
        /^import \{ (?:isIP|isIPv4|isIPv6|BlockList|, )+ \} from "node:net";$/gm,
        "",
      );
      const imports = [...acting.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g)].map(
        (match) => match[1] ?? "",
      );
      return { path, room: path.split(/[/\\]/)[0] ?? "", text: code, imports };
    });
}

const roomOf = (source: Source, specifier: string): string | undefined => {
  if (!specifier.startsWith(".")) return undefined;
  const target = relative(join(ROOT, "src"), resolve(ROOT, "src", dirname(source.path), specifier));
  return target.startsWith("..") ? undefined : target.split(/[/\\]/)[0];
};

const ROOMS = table();
const SOURCES = sources();

it("scanned the rooms, each of which is in the table of docs/architecture.md", () => {
  expect(SOURCES.length).toBeGreaterThan(40);
  expect(SOURCES.flatMap((source) => source.imports).length).toBeGreaterThan(100);
  expect([...new Set(SOURCES.map((source) => source.room))].toSorted()).toEqual([...ROOMS.keys()].toSorted());
});

it("every room says in a header what lives there and what never does", () => {
  const silent = [...ROOMS.keys()].filter((room) => {
    const entry = SOURCES.find(
      ({ path }) => path === join(room, "index.ts") || path === join(room, "main.ts"),
    );
    return (
      entry === undefined ||
      !/^\/\*\*[\s\S]{120,}?\*\//.test(readFileSync(join(ROOT, "src", entry.path), "utf8"))
    );
  });
  expect(silent).toEqual([]);
});

it("imports follow the table", () => {
  const wrong = SOURCES.flatMap((source) =>
    source.imports
      .map((specifier) => roomOf(source, specifier))
      .filter(
        (room) => room !== undefined && room !== source.room && ROOMS.get(source.room)?.has(room) !== true,
      )
      .map((room) => `src/${source.path} imports ${room}`),
  );
  expect(wrong).toEqual([]);
});

it("pure rooms open no socket or file, start no process and read no clock", () => {
  const wrong = SOURCES.flatMap((source) =>
    !PURE.has(source.room)
      ? []
      : [
          ...source.imports
            .filter((specifier) => ACTING.test(specifier))
            .map((specifier) => `src/${source.path} imports ${specifier}`),
          ...(CLOCKS.test(source.text) ? [`src/${source.path} reads a clock`] : []),
        ],
  );
  expect(wrong).toEqual([]);
});

it("only the command line prints or sets an exit code", () => {
  // Engines are programs of their own, those that are simulated too: what they print is their log.
  const allowed = new Set(["cli", "embedded", "simulation"]);
  const wrong = SOURCES.filter(
    (source) =>
      !allowed.has(source.room) &&
      /\bconsole\.(?:log|error|warn|info|debug)\(|process\.(?:stdout|stderr|exit|exitCode)\b/.test(
        source.text,
      ),
  );
  expect(wrong.map((source) => source.path)).toEqual([]);
});

it("the console knows the node by the types of its contract, and core's pure functions", () => {
  // Its tests hold it against the node itself.
  const files = readdirSync(join(ROOT, "console/src"), { recursive: true, encoding: "utf8" }).filter(
    (path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path),
  );
  const imports = files.flatMap((path) => {
    const text = readFileSync(join(ROOT, "console/src", path), "utf8");
    return [...text.matchAll(/(import type|import|export)\s[^;"]*?from\s+"([^"]*\/src\/[^"]+)"/g)].map(
      ([, how = "", from = ""]) => ({ path, how, from: from.replace(/^.*?\/src\//, "") }),
    );
  });
  expect(imports.length).toBeGreaterThan(5);
  const wrong = imports.filter(
    ({ how, from }) =>
      !(from === "api/contract/index.ts" && how === "import type") &&
      !(/^core\/[a-z-]+\.ts$/.test(from) && from !== "core/index.ts"),
  );
  expect(wrong).toEqual([]);
});

it("the contract of the API is data alone: it runs in a browser as well", () => {
  const contract = SOURCES.filter(({ path }) => path.startsWith(join("api", "contract")));
  expect(contract.length).toBeGreaterThan(5);
  const foreign = contract
    .flatMap(({ imports }) => imports)
    .filter((from) => !/^(?:zod|\.\/[a-z-]+\.ts)$/.test(from));
  expect(foreign).toEqual([]);
});

it("a lint rule is switched off only by name, for one line, with a reason; a type error never", () => {
  const allowed = /\/\/ oxlint-disable-next-line [\w/-]+ -- \S.{15,}$/gm;
  const disabled = ["src", "test", join("console", "src")]
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) =>
        join(folder, path),
      ),
    )
    // Programs of others that tests bring along are no code of this house.
    .filter((path) => /\.tsx?$/.test(path) && !path.includes("node_modules"))
    .filter((path) => path !== join("test", "layering.test.ts"))
    .filter((path) => {
      const text = readFileSync(join(ROOT, path), "utf8").replaceAll(allowed, "");
      return /(?:oxlint|eslint)-disable|@ts-(?:ignore|nocheck|expect-error)/.test(text);
    });
  expect(disabled).toEqual([]);
});

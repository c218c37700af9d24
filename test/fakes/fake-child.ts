/**
 * A fake engine: a real process that speaks `/health` like the embedded engine and misbehaves as told.
 * `node fake-child.ts --socket PATH [--behave JSON]`; it can also be told over HTTP while it runs:
 * `/exit?code=3`, `/hang`, `/say?line=hello`.
 * `/probe-as?how=silent` (or `wrong`, `well`) and `/work?running=1&waiting=2&progress=7` change how `POST /probe`, its
 * smallest piece of work, and `GET /load`, its figures, answer.
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

export interface Behaviour {
  /** Milliseconds of loading before it is ready. */
  readonly load?: number;
  /** Ends with this code when the load is over, instead of becoming ready. */
  readonly exitAfterLoad?: number;
  /** The line of a fatal load error, written before such an exit. */
  readonly failure?: { readonly code: string; readonly message: string; readonly hint: string };
  readonly ignoreTerm?: boolean;
  /** Goes on when its life line is cut, as an engine that knows nothing of it. */
  readonly ignoreLifeLine?: boolean;
  /** Starts a process of its own in the group, and prints `grandchild PID`. */
  readonly grandchild?: boolean;
  /** The same, in a session of its own. */
  readonly runawayGrandchild?: boolean;
  /** Printed last, so that whoever sees these lines sees the others too. */
  readonly print?: readonly string[];
  /** Prints one line of this many characters. */
  readonly longLine?: number;
  /** How it answers the first requests for a token; later ones as `/probe-as` says. */
  readonly probe?: "well" | "silent" | "wrong";
  /** Prints the names of its environment variables, as one line of JSON. */
  readonly printEnvironment?: boolean;
}

if (import.meta.main) main();

function main(): void {
  const { values } = parseArgs({
    options: {
      socket: { type: "string" },
      host: { type: "string" },
      port: { type: "string" },
      behave: { type: "string", default: "{}" },
    },
  });
  const behaviour: Behaviour = JSON.parse(values.behave);
  const startedAt = performance.now();
  announce(behaviour);
  const loaded = (): number =>
    Math.min(1, (performance.now() - startedAt) / Math.max(1, behaviour.load ?? 0));
  let hangs = false;
  let probe: string = behaviour.probe ?? "well";
  let load: Readonly<Record<string, number>> = { running: 0, waiting: 0, progress: 0 };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://fake");
    if (url.pathname === "/exit") process.exit(Number(url.searchParams.get("code") ?? "0"));
    if (url.pathname === "/hang") hangs = true;
    if (url.pathname === "/say") process.stdout.write(`${url.searchParams.get("line") ?? ""}\n`);
    if (hangs) return;
    if (url.pathname === "/probe-as") probe = url.searchParams.get("how") ?? "well";
    if (url.pathname === "/work")
      load = Object.fromEntries([...url.searchParams].map(([name, value]) => [name, Number(value)]));
    if (url.pathname === "/probe" && probe === "silent") return;
    if (url.pathname === "/probe") return void response.end(probe === "well" ? '{"token":"a"}' : "{}");
    if (url.pathname === "/load") return void response.end(JSON.stringify(load));
    const ready = loaded() >= 1 && behaviour.exitAfterLoad === undefined;
    response.writeHead(ready ? 200 : 503, { "content-type": "application/json" });
    response.end(JSON.stringify(ready ? { status: "ok" } : { status: "loading", progress: loaded() }));
  });
  if (values.socket === undefined) server.listen(Number(values.port ?? 0), values.host);
  else {
    rmSync(values.socket, { force: true });
    server.listen(values.socket);
  }
  if (behaviour.exitAfterLoad !== undefined) {
    const code = behaviour.exitAfterLoad;
    setTimeout(() => {
      if (behaviour.failure === undefined) process.exit(code);
      const line = JSON.stringify({ event: "failed", ...behaviour.failure });
      process.stdout.write(`${line}\n`, () => process.exit(code));
    }, behaviour.load ?? 0);
  }
  process.on("SIGTERM", () => {
    if (behaviour.ignoreTerm !== true) process.exit(0);
  });
  if (behaviour.ignoreLifeLine !== true) {
    process.stdin.resume();
    process.stdin.on("end", () => process.exit(0));
  }
}

function announce(behaviour: Behaviour): void {
  if (behaviour.longLine !== undefined) process.stderr.write(`${"x".repeat(behaviour.longLine)}\n`);
  if (behaviour.printEnvironment === true) {
    process.stdout.write(`${JSON.stringify(Object.keys(process.env))}\n`);
  }
  if (behaviour.grandchild === true) startGrandchild(false);
  if (behaviour.runawayGrandchild === true) startGrandchild(true);
  for (const line of behaviour.print ?? []) process.stdout.write(`${line}\n`);
}

function startGrandchild(detached: boolean): void {
  const child = spawn("sleep", ["1000"], { stdio: "ignore", detached });
  process.stdout.write(`grandchild ${child.pid ?? 0}\n`);
}

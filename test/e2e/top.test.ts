import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { isAlive } from "../fakes/alive.ts";
import { NO_TERMINAL, startInTerminal } from "../fakes/pseudo-terminal.ts";
import type { PseudoTerminal } from "../fakes/pseudo-terminal.ts";
import { eventually, omni, ROOT, startNode, temporaryFolder } from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";

const ENTER = "\u001B[?1049h";
const LEAVE = "\u001B[?7h\u001B[?25h\u001B[?1049l";
const SERVICES = z.object({ services: z.array(z.object({ name: z.string(), state: z.string() })) });

const state = temporaryFolder();
let node: RunningNode;

beforeAll(async () => {
  node = await startNode([join(ROOT, "examples/concrete-bunker.fixed.yaml"), "--simulate"], state.path);
}, 60_000);
afterAll(async () => {
  await node.interrupt();
  state.remove();
});

const terminals: PseudoTerminal[] = [];
afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.hangUp();
});

const onTerminal = (argv: readonly string[], env: Readonly<Record<string, string>>): PseudoTerminal => {
  const terminal = startInTerminal(argv, { OMNI_STATE: state.path, ...env });
  terminals.push(terminal);
  return terminal;
};
const top = (env: Readonly<Record<string, string>> = {}): PseudoTerminal =>
  onTerminal([join(ROOT, "omni"), "top"], env);
const shows = (terminal: PseudoTerminal, text: string | RegExp): Promise<void> =>
  eventually(() => {
    const screen = terminal.screen().join("\n");
    return typeof text === "string" ? screen.includes(text) : text.test(screen);
  });
const stateOf = async (name: string): Promise<string | undefined> =>
  SERVICES.parse(await (await fetch(`${node.url}/api/status`)).json()).services.find(
    (service) => service.name === name,
  )?.state;

describe("omni top without a screen", () => {
  it("--once prints one frame of the width that is asked for", async () => {
    const { stdout, code } = await omni(["top", "--once", "--width", "100"], state.path);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    expect(lines[0]).toMatch(/^concrete-bunker +http:\/\/127\.0\.0\.1:\d+ +omni .* SIMULATED$/);
    expect(stdout).toMatch(/deepseek-v32 +ready +/);
    expect(stdout).toContain("service.ready");
  });

  it("takes the width from COLUMNS", async () => {
    const { stdout } = await omni(["top", "--once"], state.path, "", { env: { COLUMNS: "60" } });
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBe(60);
  });

  it("--json tells what a frame shows, with who holds which card", async () => {
    const { stdout } = await omni(["top", "--json"], state.path);
    const model = z
      .object({
        node: z.object({ name: z.literal("concrete-bunker"), simulated: z.literal(true) }),
        cards: z.array(
          z.object({ device: z.string(), holdings: z.array(z.object({ service: z.string().optional() })) }),
        ),
      })
      .parse(JSON.parse(stdout));
    expect(model.cards.map(({ device }) => device)).toEqual(["gpu0", "gpu1"]);
    expect(model.cards[0]?.holdings[0]?.service).toBe("deepseek-v32");
  });

  it("a reader that is no terminal gets one frame and the reason", async () => {
    const { stdout, stderr, code } = await omni(["top"], state.path);
    expect(code).toBe(0);
    expect(stderr).toContain("The output is no terminal, so this is one frame and no more.");
    expect(stdout).toContain("deepseek-v32");
    expect(stdout).not.toContain("\u001B");
  });

  it("where no node runs it says so and ends", async () => {
    const other = temporaryFolder();
    const { stderr, code } = await omni(["top"], other.path);
    other.remove();
    expect(code).toBe(1);
    expect(stderr).toContain("No node runs on this machine.");
  });
});

describe.skipIf(NO_TERMINAL)(
  `omni top on a terminal${NO_TERMINAL === undefined ? "" : ` (${NO_TERMINAL})`}`,
  () => {
    it("shows frames, obeys keys, gives an order and leaves the terminal as it was", async () => {
      const terminal = top();
      await shows(terminal, /> deepseek-v32 +ready/);
      await shows(terminal, "q quit");
      expect(terminal.screen().length).toBe(30);
      expect(terminal.screen().at(-1)).toContain("q quit");
      terminal.type("j");
      await shows(terminal, "> qwen-executor");
      terminal.type("u");
      await shows(
        terminal,
        "unload qwen-executor: Let its answers finish and free its card until it is asked for? y/n",
      );
      terminal.type("n");
      await shows(terminal, "q quit");
      expect(await stateOf("qwen-executor")).toBe("ready");
      terminal.type("uy");
      await eventually(async () => (await stateOf("qwen-executor")) === "unloaded");
      await shows(terminal, /> qwen-executor +unloaded/);
      terminal.type("ly");
      await shows(terminal, /> qwen-executor +ready/);
      terminal.type("\r");
      await shows(terminal, /engine blackwell · model qwen/);
      await shows(terminal, /LOG\n\S/);
      terminal.type("e");
      await shows(terminal, "service.unloaded");
      terminal.type("?");
      await shows(terminal, "select a service; scroll the events");
      terminal.type("q");
      expect(await terminal.ended()).toEqual({ status: 0, restored: true });
      expect(terminal.written().endsWith(LEAVE)).toBe(true);
    });

    it("holds what is shown while it is paused", async () => {
      const terminal = top();
      await shows(terminal, "> deepseek-v32");
      terminal.type(" ");
      await shows(terminal, "PAUSED");
      const held = terminal.screen();
      await new Promise((wake) => setTimeout(wake, 1500));
      expect(terminal.screen()).toEqual(held);
      terminal.type(" ");
      await eventually(() => terminal.screen()[1] !== held[1]);
      terminal.type("\u0003");
      expect(await terminal.ended()).toEqual({ status: 0, restored: true });
    });

    it("writes only what changed", async () => {
      const terminal = top();
      await shows(terminal, "> deepseek-v32");
      const before = terminal.written().length;
      const time = terminal.screen()[1];
      await eventually(() => terminal.screen()[1] !== time);
      const frame = terminal.screen().join("").length;
      expect(terminal.written().length - before).toBeLessThan(frame);
      terminal.type("q");
      await terminal.ended();
    });

    it("follows the size of the terminal", async () => {
      const terminal = top();
      await shows(terminal, "> deepseek-v32");
      await terminal.resize(60, 12);
      await eventually(() => terminal.screen().length === 12);
      expect(Math.max(...terminal.screen().map((line) => line.length))).toBeLessThanOrEqual(60);
      await terminal.resize(160, 50);
      await eventually(() => terminal.screen().length === 50);
      terminal.type("q");
      expect(await terminal.ended()).toEqual({ status: 0, restored: true });
    });

    it.each([
      ["SIGTERM", 143],
      ["SIGINT", 130],
    ] as const)("gives the terminal back on %s, and ends by it", async (signal, status) => {
      const terminal = top();
      await shows(terminal, "> deepseek-v32");
      process.kill(terminal.pid() ?? 0, signal);
      expect(await terminal.ended()).toEqual({ status, restored: true });
      expect(terminal.written()).toContain(LEAVE);
    });

    it("gives the terminal back before an error is told", async () => {
      const fault = `process.on("SIGUSR2", () => { throw new Error("thrown on purpose"); })`;
      const terminal = top({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}` });
      await shows(terminal, "> deepseek-v32");
      process.kill(terminal.pid() ?? 0, "SIGUSR2");
      expect(await terminal.ended()).toEqual({ status: 1, restored: true });
      const told = terminal.written();
      expect(told.indexOf("thrown on purpose")).toBeGreaterThan(told.indexOf(LEAVE));
      expect(told.lastIndexOf(ENTER)).toBeLessThan(told.indexOf(LEAVE));
    });

    it("ends when its terminal is closed", async () => {
      const terminal = top();
      await shows(terminal, "> deepseek-v32");
      const pid = terminal.pid() ?? 0;
      terminal.hangUp();
      await eventually(() => !isAlive(pid));
      expect(isAlive(pid)).toBe(false);
      await terminal.ended();
    });

    it("Ctrl-Z gives the terminal to the shell, fg takes it again", async () => {
      const terminal = onTerminal(["bash", "--norc", "--noprofile", "-i"], {
        OMNI_STATE: state.path,
        PS1: "shell> ",
      });
      await eventually(() => terminal.written().includes("shell> "));
      terminal.type("./omni top\r");
      await shows(terminal, "> deepseek-v32");
      terminal.type("\u001A");
      await eventually(() => /Stopped[\s\S]*shell> /.test(terminal.written()));
      const stopped = terminal.written();
      expect(stopped.lastIndexOf(LEAVE)).toBeGreaterThan(stopped.lastIndexOf(ENTER));
      terminal.type("fg\r");
      await eventually(() => terminal.written().lastIndexOf(ENTER) > stopped.length);
      await shows(terminal, "> deepseek-v32");
      terminal.type("q");
      await eventually(() => terminal.written().lastIndexOf(LEAVE) > stopped.length);
      terminal.type("exit\r");
      expect(await terminal.ended()).toEqual({ status: 0, restored: true });
    });

    it("TERM=dumb gets one frame and the reason", async () => {
      const terminal = top({ TERM: "dumb" });
      expect((await terminal.ended()).status).toBe(0);
      expect(terminal.written()).toContain(
        "This terminal cannot place text (TERM=dumb), so this is one frame and no more.",
      );
      expect(terminal.written()).not.toContain(ENTER);
      expect(terminal.written()).toContain("deepseek-v32");
    });

    it("colours follow NO_COLOR", async () => {
      const [plain, coloured] = [top(), top({ NO_COLOR: "", FORCE_COLOR: "1" })];
      await shows(plain, "> deepseek-v32");
      await shows(coloured, "> deepseek-v32");
      for (const terminal of [plain, coloured]) terminal.type("q");
      await Promise.all([plain.ended(), coloured.ended()]);
      expect(plain.written()).not.toContain("\u001B[32m");
      expect(coloured.written()).toContain("\u001B[32mready");
    });

    it("says since when the node is gone, and goes on where it comes back", async () => {
      const own = temporaryFolder();
      const spec = [join(ROOT, "examples/concrete-bunker.fixed.yaml"), "--simulate"];
      const first = await startNode(spec, own.path);
      const terminal = top({ OMNI_STATE: own.path });
      await shows(terminal, "SIMULATED");
      await first.interrupt();
      await shows(terminal, /DISCONNECTED since \d\d:\d\d:\d\d .*what follows is old/);
      const second = await startNode(spec, own.path);
      await eventually(() => !terminal.screen().join("\n").includes("DISCONNECTED"));
      expect(terminal.screen()[0]).toContain(second.url);
      terminal.type("q");
      expect(await terminal.ended()).toEqual({ status: 0, restored: true });
      await second.interrupt();
      own.remove();
    }, 180_000);
  },
);

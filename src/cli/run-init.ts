import { constants } from "node:fs";
import { access, link, lstat, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { EXIT, hasErrors, messageOf, OmniError } from "../core/index.ts";
import type { ExitCode } from "../core/index.ts";
import { catalogGpu, observeMachine } from "../inventory/index.ts";
import type { MachineInventory } from "../inventory/index.ts";
import { loadSpec } from "../spec/index.ts";
import { integerOption } from "./command.ts";
import type { Invocation } from "./command.ts";
import { initDocument } from "./init-document.ts";
import { findModels, usualFolders } from "./init-models.ts";
import type { FoundModels } from "./init-models.ts";
import { reportMachine, reportModels } from "./init-report.ts";
import { chooseServices } from "./init-services.ts";
import { reportDiagnostics } from "./report.ts";
import type { Terminal } from "./terminal.ts";

const DEFAULT_SECONDS = 15;

/** Detects this machine and writes a spec for it. Throws `OmniError` when the file exists or cannot be written. */
export async function runInit(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const seconds = integerOption(invocation, "timeout", [1, 600]) ?? DEFAULT_SECONDS;
  const file = resolve(invocation.positionals[0] ?? "omni.yaml");
  const writes = !["json", "print", "dry-run"].some((option) => invocation.flag(option));
  if (writes) await mustNotExist(file, invocation.flag("force"));
  const machine = await observe(seconds * 1000);
  if (invocation.flag("json")) {
    terminal.out(JSON.stringify(machine, null, 2));
    return EXIT.done;
  }
  const found = await lookForModels(invocation.values("models"));
  const llamaServer = await onPath("llama-server");
  const choice = chooseServices({ machine, models: found.models, llamaServer: llamaServer !== undefined });
  const text = initDocument({ machine, choice, file, runtime: runtimeRemarks(machine, llamaServer) });
  const { diagnostics } = loadSpec(text, file);
  if (hasErrors(diagnostics))
    throw new OmniError("cli.internal", "The spec for this machine would not be valid.", { diagnostics });
  if (invocation.flag("print")) {
    terminal.out(text.trimEnd());
    return EXIT.done;
  }
  reportMachine(machine, terminal);
  reportModels(found, choice, terminal);
  reportDiagnostics(diagnostics, terminal);
  const typed = invocation.positionals[0] ?? "omni.yaml";
  terminal.out("");
  if (writes) await write(file, text, invocation.flag("force"));
  terminal.out(
    writes ? `Wrote ${typed}. Next:` : `Nothing was written. Without --dry-run ${typed} would be. Then:`,
  );
  terminal.out(`  ./omni plan ${quoted(typed)}   what fits where, and why`);
  terminal.out(`  ./omni up ${quoted(typed)}     run it`);
  return EXIT.done;
}

/** Looks at the machine; Ctrl-C ends what was started for it too. */
async function observe(timeout: number): Promise<MachineInventory> {
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const machine = await observeMachine({ timeout, signal: interrupt.signal });
    if (!interrupt.signal.aborted) return machine;
    throw new OmniError(
      "inventory.unreadable",
      "Interrupted while looking at this machine; nothing was written.",
    );
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** The folders that were asked for, or the usual ones. Throws when one that was asked for is none. */
async function lookForModels(asked: readonly string[]): Promise<FoundModels> {
  if (asked.length === 0) return findModels(usualFolders());
  const found = await findModels(asked.map((path) => ({ path: resolve(path), deep: true })));
  const [missing] = found.missing;
  if (missing === undefined) return found;
  throw new OmniError("cli.bad-argument", `--models ${missing} is no folder that can be read.`, {
    hint: "Give a folder with GGUF files; repeat --models for several.",
  });
}

async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder || ".", program);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** Why engines run as they do, and what would be another choice. */
function runtimeRemarks(machine: MachineInventory, llamaServer: string | undefined): string[] {
  const usable = machine.gpus.filter((gpu) => gpu.vendor === "nvidia" && gpu.uuid !== undefined);
  if (usable.length === 0)
    return ["Engines are processes of this machine; without a card they compute on the processor."];
  const cards = usable.map((gpu) => catalogGpu(gpu)?.name ?? gpu.name).join(", ");
  const process_ =
    llamaServer === undefined
      ? [
          `Engines are processes of this machine. No llama-server is on PATH, so the embedded engine computes on the processor and leaves ${cards} idle;`,
          "with llama.cpp installed, write engine: [llama.cpp, embedded] and devices: auto in a service.",
        ]
      : [`Engines are processes of this machine: ${llamaServer} computes on ${cards}.`];
  return machine.docker
    ? [...process_, "Docker runs here too: with runtime: docker, engines such as vLLM run as containers."]
    : process_;
}

async function mustNotExist(file: string, force: boolean): Promise<void> {
  const there = await lstat(file).catch(() => undefined);
  if (there === undefined || (force && !there.isDirectory())) return;
  throw new OmniError(
    "cli.bad-argument",
    there.isDirectory() ? `${file} is a folder.` : `${file} exists already.`,
    {
      hint: there.isDirectory()
        ? "Give the path of a file."
        : "Take --force to overwrite it, another name, or --print to see what would be written.",
    },
  );
}

/**
 * Writes aside and then gives the file its name, so that it is there whole or not at all; a link instead of a rename
 * refuses a file that came to be meanwhile. Throws `OmniError` `cli.bad-argument`.
 */
async function write(file: string, text: string, force: boolean): Promise<void> {
  const aside = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(aside, text, { mode: 0o644, flag: "wx" });
    if (force || !(await linked(aside, file))) await rename(aside, file);
  } catch (thrown) {
    throw new OmniError("cli.bad-argument", `Cannot write ${file}: ${messageOf(thrown)}`, {
      cause: thrown,
      hint: "Give a path in a folder that you may write to, or --print.",
    });
  } finally {
    await rm(aside, { force: true });
  }
}

/** Gives a file a second name; false where the file system has no hard links. Throws when that name is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") throw thrown;
    return false;
  }
}

/** A path as a shell takes it. */
const quoted = (path: string): string =>
  /^[\w./~+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;

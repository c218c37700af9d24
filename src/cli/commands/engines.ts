import { existsSync, statSync } from "node:fs";
import { matchesGlob } from "node:path";
import { EXIT, formatBytes, OmniError } from "../../core/index.ts";
import { checkRequirements } from "../../binaries/check-requirements.ts";
import type { CheckedBinary } from "../../binaries/check-requirements.ts";
import { requirementsOf } from "../architecture-requirements.ts";
import { JSON_OPTION } from "../command.ts";
import type { Command, Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";

export const engines: Command = {
  name: "engines",
  summary: "Look into an engine: which cards a binary or an image is compiled for.",
  positionals: [
    { name: "ACTION", required: true, completes: "none" },
    { name: "FILE|FOLDER|IMAGE", required: true, completes: "file" },
  ],
  options: {
    layers: { kind: "flag", about: "Read an image's layers as they stream and look into every binary." },
    require: {
      kind: "value",
      placeholder: "ARCH",
      repeatable: true,
      about:
        "Exit 1 unless every binary with CUDA code carries it: 12.0 for what starts on that card, sm_120 or compute_90 for that code. Reads an image's layers.",
    },
    only: {
      kind: "value",
      placeholder: "GLOB",
      repeatable: true,
      about: "Look only at binaries of a folder or image whose path matches: '**/libggml-cuda*'.",
    },
    insecure: { kind: "flag", about: "Speak plain HTTP with the registry." },
    json: JSON_OPTION,
  },
  examples: [
    ["engines inspect build/bin/libggml-cuda.so", "architectures in a library, and the cards they serve"],
    ["engines inspect /app --require sm_120", "fail unless all libraries of a folder have it"],
    ["engines inspect vllm/vllm-openai:v0.13.0", "what the registry says: sizes, labels, CUDA"],
    ["engines inspect ghcr.io/ggml-org/llama.cpp:server-cuda --layers", "the binaries in its layers"],
  ],
  run: async (invocation, terminal) => {
    const [action = "", target = ""] = invocation.positionals;
    if (action !== "inspect") {
      throw new OmniError("cli.bad-argument", `engines does not know ${JSON.stringify(action)}.`, {
        hint: "Type: ./omni engines inspect FILE|FOLDER|IMAGE",
      });
    }
    // Looked at before anything is read: a typing error must not cost an image's layers.
    const requirements = requirementsOf(invocation.values("require"));
    const binaries = await (isFolder(target)
      ? inspectBinaries(target, invocation, terminal)
      : isFile(target)
        ? inspectBinary(target, invocation, terminal)
        : inspect(target, invocation, terminal));
    checkRequirements(target, binaries, requirements);
    return EXIT.done;
  },
};

/** A path that exists, or that can only be meant as one; anything else is the name of an image. */
const isFile = (target: string): boolean =>
  existsSync(target) || /^(?:\.{0,2}\/|~)|\.so(?:\.\d+)*$/.test(target);

const isFolder = (target: string): boolean =>
  statSync(target, { throwIfNoEntry: false })?.isDirectory() === true;

async function inspectBinary(
  path: string,
  invocation: Invocation,
  terminal: Terminal,
): Promise<readonly CheckedBinary[]> {
  const [{ inspectFile }, { binaryDocument, reportBinary }] = await Promise.all([
    import("../../binaries/index.ts"),
    import("../engine-report.ts"),
  ]);
  const report = await inspectFile(path);
  if (invocation.flag("json")) terminal.out(JSON.stringify(binaryDocument(report), null, 2));
  else reportBinary(report, terminal);
  return [report];
}

async function inspectBinaries(
  folder: string,
  invocation: Invocation,
  terminal: Terminal,
): Promise<readonly CheckedBinary[]> {
  const [{ inspectFolder }, { binaryDocument, reportBinaries }] = await Promise.all([
    import("../../binaries/index.ts"),
    import("../engine-report.ts"),
  ]);
  const reports = await inspectFolder(folder, invocation.values("only"));
  if (invocation.flag("json"))
    terminal.out(JSON.stringify({ folder, binaries: reports.map(binaryDocument) }, null, 2));
  else reportBinaries(reports, terminal);
  return reports;
}

async function inspect(
  image: string,
  invocation: Invocation,
  terminal: Terminal,
): Promise<readonly CheckedBinary[]> {
  const [{ inspectImage }, { imageDocument, reportImage }] = await Promise.all([
    import("../../binaries/index.ts"),
    import("../engine-report.ts"),
  ]);
  const only = invocation.values("only");
  const report = await inspectImage(image, {
    insecure: invocation.flag("insecure"),
    layers: invocation.flag("layers") || invocation.values("require").length > 0,
    onLayer: (index, count, bytes) => {
      terminal.err(terminal.styleErr("dim", `layer ${index + 1} of ${count}, ${formatBytes(bytes)}`));
    },
  });
  if (invocation.flag("json")) terminal.out(JSON.stringify(imageDocument(report), null, 2));
  else reportImage(report, terminal);
  return (report.binaries ?? []).filter(
    ({ path }) => only.length === 0 || only.some((glob) => matchesGlob(path, glob)),
  );
}

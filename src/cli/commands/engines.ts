import { existsSync } from "node:fs";
import { EXIT, formatBytes, OmniError } from "../../core/index.ts";
import { JSON_OPTION } from "../command.ts";
import type { Command, Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";

export const engines: Command = {
  name: "engines",
  summary: "Look into an engine: which cards a binary or an image is compiled for.",
  positionals: [
    { name: "ACTION", required: true, completes: "none" },
    { name: "FILE|IMAGE", required: true, completes: "file" },
  ],
  options: {
    layers: { kind: "flag", about: "Read an image's layers as they stream and look into every binary." },
    insecure: { kind: "flag", about: "Speak plain HTTP with the registry." },
    json: JSON_OPTION,
  },
  examples: [
    ["engines inspect build/bin/libggml-cuda.so", "architectures in a library, and the cards they serve"],
    ["engines inspect vllm/vllm-openai:v0.13.0", "what the registry says: sizes, labels, CUDA"],
    ["engines inspect ghcr.io/ggml-org/llama.cpp:server-cuda --layers", "the binaries in its layers"],
  ],
  run: async (invocation, terminal) => {
    const [action = "", target = ""] = invocation.positionals;
    if (action !== "inspect") {
      throw new OmniError("cli.bad-argument", `engines does not know ${JSON.stringify(action)}.`, {
        hint: "Type: ./omni engines inspect FILE|IMAGE",
      });
    }
    await (isFile(target)
      ? inspectBinary(target, invocation, terminal)
      : inspect(target, invocation, terminal));
    return EXIT.done;
  },
};

/** A path that exists, or that can only be meant as one; anything else is the name of an image. */
const isFile = (target: string): boolean =>
  existsSync(target) || /^(?:\.{0,2}\/|~)|\.so(?:\.\d+)*$/.test(target);

async function inspectBinary(path: string, invocation: Invocation, terminal: Terminal): Promise<void> {
  const [{ inspectFile }, { binaryDocument, reportBinary }] = await Promise.all([
    import("../../binaries/index.ts"),
    import("../engine-report.ts"),
  ]);
  const report = await inspectFile(path);
  if (invocation.flag("json")) terminal.out(JSON.stringify(binaryDocument(report), null, 2));
  else reportBinary(report, terminal);
}

async function inspect(image: string, invocation: Invocation, terminal: Terminal): Promise<void> {
  const [{ inspectImage }, { imageDocument, reportImage }] = await Promise.all([
    import("../../binaries/index.ts"),
    import("../engine-report.ts"),
  ]);
  const report = await inspectImage(image, {
    insecure: invocation.flag("insecure"),
    layers: invocation.flag("layers"),
    onLayer: (index, count, bytes) => {
      terminal.err(terminal.styleErr("dim", `layer ${index + 1} of ${count}, ${formatBytes(bytes)}`));
    },
  });
  if (invocation.flag("json")) terminal.out(JSON.stringify(imageDocument(report), null, 2));
  else reportImage(report, terminal);
}

import { ADVICE_CODES } from "./advice-codes.ts";
import { HOST_CODES } from "./host-codes.ts";
import { MCP_CODES } from "./mcp-codes.ts";
import { PULL_CODES } from "./pull-codes.ts";
import { RENDER_CODES } from "./render-codes.ts";
import { RUN_CODES } from "./run-codes.ts";
import { RUNBOOK_CODES } from "./runbook-codes.ts";

/**
 * The registry of every code that Omni prints. A code is never renamed or reused: scripts and bookmarks hold on to it.
 * `docs/reference/codes.md` is generated from this table.
 */
interface CodeEntry {
  /** What went wrong, in one sentence. */
  readonly title: string;
  /** What the owner can do, when the place of the fault knows nothing better. */
  readonly remedy: string;
  /** 1 failed while running, 2 the input is wrong, 3 refused for safety. */
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): CodeEntry => ({ title, remedy, exit });

export const CODES = {
  // Command line
  "cli.unknown-command": entry(2, "The command is not one of Omni's.", "Run ./omni --help for the list."),
  "cli.bad-argument": entry(
    2,
    "An option or argument is unknown, missing or malformed.",
    "Run the command with --help.",
  ),
  "cli.no-node": entry(
    1,
    "No running node answers at that address.",
    "Start one with ./omni up, or pass --url.",
  ),
  "cli.internal": entry(
    1,
    "Omni itself failed; this is a defect.",
    "Report it with the text above and the spec.",
  ),

  // The spec
  "spec.empty": entry(2, "The spec is empty.", "Start with: omni: 1"),
  "spec.too-large": entry(
    2,
    "The spec is larger than any real one.",
    "Split it, or remove what does not belong there.",
  ),
  "spec.encoding": entry(
    2,
    "The spec is not plain UTF-8 text.",
    "Save it as UTF-8 without control characters.",
  ),
  "spec.syntax": entry(
    2,
    "The spec is not valid YAML.",
    "Check the indentation, quotes and brackets at the place shown.",
  ),
  "spec.tab": entry(2, "The spec is indented by tabs.", "Indent by spaces."),
  "spec.too-deep": entry(
    2,
    "The spec is nested deeper than any part of the language.",
    "Check the brackets and the indentation.",
  ),
  "spec.alias-bomb": entry(
    2,
    "Aliases expand to more than a spec can hold, or to themselves.",
    "Write the values out, or use fewer aliases.",
  ),
  "spec.unknown-anchor": entry(
    2,
    "An alias names an anchor that does not stand before it.",
    "Put &name before the value that *name repeats.",
  ),
  "spec.unsupported-tag": entry(
    2,
    "The spec carries a YAML tag.",
    "Remove the tag; the schema knows the type.",
  ),
  "spec.several-documents": entry(
    2,
    "The file holds more than one YAML document.",
    "Keep one document a file.",
  ),
  "spec.duplicate-key": entry(2, "A key stands twice in one map.", "Remove one of the two."),
  "spec.version": entry(
    2,
    "The spec is written in a version of the language that this Omni does not speak.",
    "Write omni: 1, or use a newer Omni.",
  ),
  "spec.unknown-key": entry(
    2,
    "The spec has a key that the language does not know.",
    "Use the name shown, or see docs/reference/spec.md.",
  ),
  "spec.missing-key": entry(2, "A required key is missing.", "Add the key shown."),
  "spec.wrong-type": entry(
    2,
    "A value is of the wrong kind: a text where a number belongs, a list where a map belongs.",
    "Type the kind that is expected.",
  ),
  "spec.bad-value": entry(2, "A value is not one that this key takes.", "Use a value of the form shown."),
  "spec.bad-unit": entry(
    2,
    "A quantity has no unit, or one that is not known.",
    "Write the unit: 96GiB, 4TB, 30s.",
  ),
  "spec.bad-name": entry(2, "A name has characters or a length that it cannot have.", "Rename it as shown."),
  "spec.inline-secret": entry(
    2,
    "A secret stands in the spec itself.",
    "Refer to it: { env: NAME } or { file: PATH }; change the secret if the file was shared.",
  ),
  "spec.unknown-reference": entry(
    2,
    "A name is used that the spec does not define.",
    "Define it, or use the name shown.",
  ),
  "spec.ambiguous-reference": entry(2, "A name means more than one thing.", "Write machine/name."),
  "spec.unknown-gpu": entry(
    2,
    "The GPU model is not in the catalog.",
    "Use the name shown, or give memory and computeCapability.",
  ),
  "spec.unknown-engine": entry(2, "The kind of engine is not one that Omni knows.", "Use the name shown."),
  "spec.unknown-extension": entry(2, "The Talos extension is not an official one.", "Use the name shown."),
  "spec.uncommon-name": entry(2, "A name is nearly one that is known, but not quite.", "Check the spelling."),
  "spec.duplicate-identity": entry(
    2,
    "Two things claim the same identity: a UUID, an address, a port, a name.",
    "Give each its own.",
  ),
  "spec.cycle": entry(
    2,
    "Things wait for, or fall back to, each other in a circle.",
    "Remove one link of the circle.",
  ),
  "spec.bad-subnet": entry(
    2,
    "A network is not in CIDR form, or its gateway lies outside.",
    "Write the network as 172.31.0.0/16.",
  ),
  "spec.subnet-overlap": entry(2, "Two networks overlap.", "Give each its own range."),
  "spec.no-place": entry(
    2,
    "A change of the spec names a place where nothing can be put.",
    "Change what holds it as a whole, or edit the text.",
  ),
  "spec.conflict": entry(2, "Two settings exclude each other.", "Keep one of them."),
  "spec.unused": entry(2, "Something is defined and never used.", "Use it, or remove it."),
  "spec.nothing-to-serve": entry(
    2,
    "The spec defines no service and no model.",
    "Add a model under models:.",
  ),

  // The node
  "node.port-busy": entry(
    1,
    "The gateway's port is taken by another program.",
    "Stop the other program, or choose a port with --port.",
  ),
  "node.bad-address": entry(
    1,
    "The gateway's address cannot be bound on this machine.",
    "Use an address of this machine: --host 127.0.0.1.",
  ),
  "node.open-without-keys": entry(
    3,
    "The gateway would listen beyond this machine without keys.",
    "Add a key under keys: in the spec, or keep --host 127.0.0.1.",
  ),
  "node.already-running": entry(
    1,
    "A node with this state folder is already running.",
    "Stop it first, or set OMNI_STATE to another folder.",
  ),
  "node.nothing-to-run": entry(
    2,
    "No service of this spec can run on this machine.",
    "Read the refusals above; each names what would fit.",
  ),

  // Model files
  "model.not-found": entry(
    2,
    "The model file does not exist or cannot be read.",
    "Check the path and its permissions.",
  ),
  "model.not-gguf": entry(2, "The file is not a GGUF file.", "Give a llama.cpp model in GGUF format."),
  "model.truncated": entry(
    2,
    "The model file is shorter than its own header says.",
    "Download it again; the copy is incomplete.",
  ),
  "model.malformed": entry(
    2,
    "The header or configuration of the model is not valid.",
    "Download the file again, or convert the model anew.",
  ),
  "model.unsupported-version": entry(
    2,
    "The GGUF version is not one that llama.cpp reads.",
    "Convert the model with a current llama.cpp.",
  ),
  "model.unknown-architecture": entry(
    2,
    "llama.cpp does not know the model's architecture.",
    "Use a model whose general.architecture llama.cpp supports.",
  ),
  "model.too-large": entry(
    2,
    "The model needs more memory than this machine can give.",
    "Choose a smaller model or quantization, or fewer tokens of context.",
  ),
  "model.no-weights": entry(
    2,
    "The model holds no tensors (a vocabulary, a projector or a configuration alone).",
    "Give the model file itself.",
  ),

  // Plans
  "plan.not-applied": entry(
    2,
    "A part of the spec is valid, but this version does not act on it when it runs a node.",
    "Take the part out to silence this, or leave it for a version that does.",
  ),
  "model.not-local": entry(
    2,
    "The model is not a file on this machine, and this version does not download.",
    "Download the GGUF file yourself and give its path as the source.",
  ),
  "key.unset": entry(
    2,
    "A key of the spec refers to a variable or file that is not there.",
    "Set the variable or write the file before starting the node.",
  ),

  // Engines
  "engine.load-failed": entry(
    1,
    "The engine could not load the model.",
    "Read the engine's last lines in ./omni events.",
  ),
  "engine.crashed": entry(
    1,
    "The engine's process ended by itself.",
    "It is restarted within its budget; see ./omni events.",
  ),
  "engine.no-binary": entry(
    2,
    "The engine's program does not exist or may not be executed.",
    "Check the path and its permissions, or install the engine.",
  ),
  "engine.not-started": entry(
    1,
    "The operating system refused to start the engine's process.",
    "Look at free memory, open files and the number of processes of this machine.",
  ),
  "engine.killed": entry(
    1,
    "The engine's process was killed by a signal from outside.",
    "If it was SIGKILL, look for the out-of-memory killer: journalctl -k | grep -i oom.",
  ),
  "engine.start-timeout": entry(
    1,
    "The engine did not become ready in time.",
    "Raise the service's load timeout, or look at its log.",
  ),
  "engine.hung": entry(
    1,
    "The engine's process lives but does not answer.",
    "It is killed and restarted; see ./omni events.",
  ),
  "engine.gave-up": entry(
    1,
    "The engine failed more often than its restart budget allows.",
    "Remove the cause, then restart the node.",
  ),
  "engine.out-of-memory": entry(
    1,
    "The engine ran out of memory.",
    "Look with nvidia-smi who else holds the card; lower context, parallel or memoryFraction if nobody does.",
  ),
  "engine.cache-too-small": entry(
    2,
    "What is left for the KV cache does not hold one request.",
    "Lower the service's context, or give it a larger share of the card.",
  ),
  "engine.no-kernel": entry(
    2,
    "The engine was not compiled for this card or processor.",
    "Use a build for it: engines.NAME.build.cudaArchitectures; ./omni engines inspect shows what a build carries.",
  ),
  "engine.no-card": entry(
    1,
    "The engine sees no card, or its CUDA and the driver do not go together.",
    "Look at nvidia-smi on the host and in the container, and at how the card is handed over.",
  ),
  "engine.card-fault": entry(
    1,
    "The card, or a program on it, stopped its work.",
    "Look for Xid in the kernel's log: journalctl -k | grep Xid.",
  ),
  "engine.bad-argument": entry(
    2,
    "The engine does not take an argument of its command.",
    "Name the engine's version, so that its own flags are used, or correct arguments.",
  ),
  "engine.port-busy": entry(
    1,
    "The engine's port is taken by another program.",
    "Stop the other program, or give the service another port.",
  ),
  "engine.not-run-here": entry(
    2,
    "This engine or runtime is not one that this version can start.",
    "Use engine: embedded with runtime: process.",
  ),

  // The state folder
  "store.unwritable": entry(
    1,
    "The state folder cannot be created or written.",
    "Check its owner and free space, or set OMNI_STATE to another folder.",
  ),
  "store.newer-version": entry(
    3,
    "The state folder was written by a newer Omni.",
    "Use that version again, or set OMNI_STATE to another folder.",
  ),

  // Machines
  "inventory.unreadable": entry(
    1,
    "A part of the machine could not be read.",
    "The rest is used; see the message for what was tried.",
  ),

  // Engines and images as files
  "binary.not-elf": entry(2, "The file is no ELF binary.", "Give a shared library or a program of Linux."),
  "binary.malformed": entry(2, "The binary is damaged or not what it claims.", "Get the file again."),
  "image.unreachable": entry(
    1,
    "The registry or the image in it cannot be reached.",
    "Check the name, the network and the credentials.",
  ),
  "image.malformed": entry(
    1,
    "The registry answered something that is no image.",
    "Check the registry and the image.",
  ),

  // Hubs
  "hub.unreachable": entry(
    1,
    "The model hub cannot be reached.",
    "Check the network, or give the model's family or shape to plan without the file.",
  ),
  "hub.not-found": entry(
    2,
    "The hub has no such repository, revision or file.",
    "Check the name and the access token.",
  ),
  "hub.denied": entry(2, "The hub refuses access.", "Accept the model's licence and set HF_TOKEN."),
  "hub.no-ranges": entry(
    2,
    "The server sends only whole files.",
    "Download the file and give its path, or use a server that answers range requests.",
  ),
  "model.no-shape": entry(
    2,
    "Nothing tells what this model is made of.",
    "Give its file, a known family, or its shape.",
  ),
  "model.unsupported": entry(
    2,
    "The model is of a kind that cannot be computed yet.",
    "Declare its memory with takes.",
  ),

  // Planning
  "plan.no-device": entry(
    2,
    "No card of the machine satisfies the service.",
    "Name a card, or let devices be auto.",
  ),
  "plan.needs-declaration": entry(
    2,
    "The memory of this engine cannot be computed and is not declared.",
    "Declare it: takes: { vram: 24GiB }.",
  ),
  "plan.beyond-training": entry(
    2,
    "A context is longer than the model was trained for.",
    "Lower context, or stretch positions with the engine's arguments as the model's card says.",
  ),
  "plan.not-counted": entry(
    2,
    "Something that takes memory is not in the plan, because nothing tells its size.",
    "Download it, or leave room for it: policies.headroom.",
  ),
  "plan.indivisible": entry(
    2,
    "The model cannot be divided by this number of cards.",
    "Use a number that divides the attention heads.",
  ),

  ...ADVICE_CODES,
  ...RENDER_CODES,
  ...RUN_CODES,
  ...MCP_CODES,
  ...HOST_CODES,
  ...PULL_CODES,
  ...RUNBOOK_CODES,
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof CODES;

import { z } from "zod";
import { withFacts } from "./scalars/facts.ts";
import { freeName, image, labelName, path, text, url } from "./scalars/identities.ts";
import { bandwidth, bytes, whole } from "./scalars/quantities.ts";
import { environment } from "./scalars/secret.ts";
import { DEFAULTS } from "./default-values.ts";

const commandModule = z.strictObject({
  image: image()
    .optional()
    .describe("Image of the shell pod.")
    .meta({ default: DEFAULTS.runbook.commandModule.image }),
  storage: bytes().optional().describe("Size of its persistent storage, when it is a claim."),
  disk: labelName().optional().describe("Disk of the machine that its storage lies on."),
  path: path("command-module").optional().describe("Folder on the disk."),
  at: path("/workspace").optional().describe("Where the storage is mounted.").meta({ default: "/workspace" }),
  gpus: z.array(labelName()).optional().describe("Cards it sees; none when absent."),
  packages: z.array(text("a package", "git")).optional().describe("Packages it installs at start."),
  environment: environment().optional().describe("Environment variables."),
  privileged: z.boolean().optional().describe("Run privileged.").meta({ default: false }),
});

/** What applying the spec needs beside its parts. */
export const runbookSchema = z.strictObject({
  downloads: z
    .strictObject({
      connections: whole(1, 64, 8)
        .optional()
        .describe("Connections of one download.")
        .meta({ default: DEFAULTS.runbook.connections }),
      bandwidth: bandwidth().optional().describe("Rate that is not exceeded; none when absent."),
      endpoint: url(["https", "http"], "https://huggingface.co")
        .optional()
        .describe("Hub for models that name none."),
      by: z
        .enum(["node", "job", "pod"])
        .optional()
        .describe("What fetches: this machine, a Job, or the pod that prepares the disk."),
    })
    .optional()
    .describe("Model downloads.")
    .meta({ default: {} }),
  commandModule: withFacts(z.union([z.literal(false), commandModule]), {
    expected: "false, or a map",
    example: "{ image: ubuntu:24.04 }",
  })
    .optional()
    .describe("A shell pod with persistent storage."),
  hosts: z
    .record(labelName(), text("user@host[:port]", "root@192.168.3.10"))
    .optional()
    .describe("Other machines that steps run on, by name."),
  order: z
    .array(z.array(freeName()).min(1))
    .optional()
    .describe(
      "Steps that must come one after another, each list in its order; everything else follows from what needs what.",
    ),
  acceptance: z
    .boolean()
    .optional()
    .describe("Measure every service and route after applying.")
    .meta({ default: DEFAULTS.runbook.acceptance }),
  report: path("REPORT.md").optional().describe("Where the definition of done is written."),
});

import type { Diagnostic } from "../core/index.ts";
import type { Deployment } from "../deployment/index.ts";
import type { Artifact, Rendered, TargetName } from "./artifact.ts";
import { markdownText } from "./escape/markdown.ts";
import { TARGETS } from "./targets.ts";

interface Part {
  readonly target: TargetName;
  readonly rendered: Rendered;
}

/** The page that a person opens first: what is in the folder, in which order it is used, and what is wrong with it. */
export function overviewOf(
  deployment: Deployment,
  parts: readonly Part[],
  diagnostics: readonly Diagnostic[],
): Artifact {
  const findings = [...deployment.findings, ...diagnostics].filter(({ severity }) => severity !== "note");
  return {
    path: "README.md",
    content: [
      `# ${markdownText(deployment.name)}`,
      "",
      ...(deployment.description === undefined ? [] : [markdownText(deployment.description), ""]),
      "Everything below was rendered by Omni from `omni.yaml`. Change the spec and render again: an edited file is",
      "noticed (`./omni render --out . --check`) and never written over without `--force`. Files of your own beside",
      "these are left alone. `omni-manifest.json` names every file, who asks for it, and its hash.",
      "",
      "## In this order",
      "",
      ...parts
        .filter(({ rendered }) => rendered.artifacts.length > 0)
        .map(({ target, rendered }, index) => stepOf(target, rendered, index)),
      "",
      "## What to know first",
      "",
      ...(findings.length === 0
        ? ["Neither the plan nor a renderer found anything wrong."]
        : findings.map(findingOf)),
      "",
    ].join("\n"),
    mode: 0o644,
    reason: "asked for by the folder itself: what is here and in which order it is used",
  };
}

function stepOf(target: TargetName, { artifacts }: Rendered, index: number): string {
  const about = TARGETS.find(({ name }) => name === target)?.about ?? "";
  const readme = artifacts.find(({ path }) => path === `${target}/README.md`);
  const link = readme === undefined ? `\`${target}/\`` : `[\`${target}/\`](${target}/README.md)`;
  return `${index + 1}. ${link}: ${about} (${artifacts.length} file${artifacts.length === 1 ? "" : "s"})`;
}

function findingOf({ severity, code, path, message, hint }: Diagnostic): string {
  const place = path === undefined || path === "" ? "" : ` at \`${path.replaceAll("`", "'")}\``;
  const remedy = hint === undefined ? "" : ` → ${markdownText(hint)}`;
  return `- **${severity}** \`${code}\`${place}: ${markdownText(message)}${remedy}`;
}

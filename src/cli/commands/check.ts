import { EXIT, hasErrors } from "../../core/index.ts";
import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";
import { countLine, reportDiagnostics } from "../report.ts";

export const check: Command = {
  name: "check",
  summary: "Check a spec and report every problem in it.",
  positionals: [{ name: "FILE", required: true, completes: "file" }],
  options: { json: JSON_OPTION },
  examples: [
    ["check omni.yaml", "every problem with its line, and what to type"],
    ["check omni.yaml --json", "the same for a program"],
    ["check - < omni.yaml", "from standard input"],
  ],
  run: async (invocation, terminal) => {
    const [{ loadSpec }, { readSpec }] = await Promise.all([
      import("../../spec/index.ts"),
      import("../node-spec.ts"),
    ]);
    const file = invocation.positionals[0] ?? "";
    const name = file === "-" ? "<stdin>" : file;
    const { diagnostics } = loadSpec(await readSpec(file), name);
    const wrong = hasErrors(diagnostics);
    if (invocation.flag("json")) {
      terminal.out(JSON.stringify({ file: name, valid: !wrong, diagnostics }, null, 2));
    } else {
      reportDiagnostics(diagnostics, terminal);
      const verdict = wrong ? terminal.style("red", "not valid") : terminal.style("green", "valid");
      terminal.out(`${name}: ${verdict} (${countLine(diagnostics)})`);
    }
    return wrong ? EXIT.input : EXIT.done;
  },
};

import type { JsonObject } from "../../dialects/dialect.ts";
import { asObject } from "../../engines/json-object.ts";
import type { OfferedTool } from "./offered-tools.ts";

/**
 * The choice of tools that a model is given in a round, counted from 0: a hosted tool by the name of its function. A choice
 * that forces a call holds for the first round only, or the model could never answer.
 */
export function chosenTool(
  choice: unknown,
  tools: ReadonlyMap<string, OfferedTool>,
  round: number,
  named: (name: string) => JsonObject = (name) => ({ type: "function", name }),
): unknown {
  if (choice === undefined || choice === null || choice === "none" || choice === "auto")
    return choice ?? undefined;
  if (round > 0) return "auto";
  const wanted = asObject(choice);
  if (wanted?.["type"] !== "mcp") return choice;
  const found = [...tools.values()].find(
    ({ server, tool }) => server === wanted["server_label"] && tool === wanted["name"],
  );
  return found === undefined ? "required" : named(found.name);
}

import type { GrammarRules } from "./grammar-rules.ts";
import { literal, SPACE } from "./grammar-rules.ts";
import { SchemaGrammar } from "./schema-grammar.ts";
import type { ToolDefinition } from "./tool-request.ts";
import type { ToolNotation } from "./tool-syntax.ts";

/** Adds the rules of calls to these tools; returns the expression of one call or, if allowed, several. */
export function toolCallRules(
  rules: GrammarRules,
  tools: readonly ToolDefinition[],
  notation: ToolNotation,
  several: boolean,
): string {
  const calls = tools.map((tool) => {
    const options = { param: "tools", strict: tool.strict };
    const parameters = new SchemaGrammar(rules, tool.parameters, options).rule(`args-${tool.name}`);
    return rules.add(
      `call-${tool.name}`,
      `"{" ${SPACE} ${literal(`"name": ${JSON.stringify(tool.name)}, "${notation.argumentsKey}": `)} ${parameters} ${SPACE} "}"`,
    );
  });
  const call = rules.add("any-call", calls.join(" | "));
  const { start, between, end } = notation.forced;
  const more = several ? ` (${literal(between)} ${call})*` : "";
  return `${literal(start)} ${call}${more} ${literal(end)}`;
}

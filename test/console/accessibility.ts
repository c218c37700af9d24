import axe from "axe-core";
import type { Page } from "playwright-core";
import { z } from "zod";

const RESULT = z.object({
  violations: z.array(
    z.object({
      id: z.string(),
      impact: z.string().nullable(),
      help: z.string(),
      nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })),
    }),
  ),
});

/** What axe-core finds serious or critical on a page, each with its first place. The page's session must bypass its policy. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = RESULT.parse(
    await page.evaluate("axe.run(document, { resultTypes: ['violations'] })"),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => {
      const [first] = nodes;
      return `${id}: ${help} (${nodes.length}) ${first?.html.slice(0, 300) ?? ""} ${first?.failureSummary ?? ""}`;
    });
}

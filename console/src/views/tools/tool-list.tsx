import { useMemo, useState } from "react";
import type { Answer } from "../../../../src/api/contract/index.ts";
import type { AnswerState } from "../../api/use-answer.ts";
import { Badge } from "../../parts/badge.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Field } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Notice } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { prettyJson } from "../../parts/pretty-json.ts";
import type { Pin, Tool } from "./tool-types.ts";
import { visibleText } from "./visible-text.ts";

interface ToolListProps {
  readonly tools: AnswerState<Answer<"GET /api/mcp/tools">>;
  readonly pins: readonly Pin[];
}

/** Every tool that the gateway knows, with what it may do. */
export function ToolList({ tools: { value, error, again }, pins }: ToolListProps) {
  const [words, setWords] = useState("");
  const shown = useMemo(() => {
    const wanted = words.toLowerCase();
    return value?.tools.filter(({ name, description = "" }) =>
      `${name} ${description}`.toLowerCase().includes(wanted),
    );
  }, [value, words]);
  return (
    <Panel title={value === undefined ? "Tools" : `Tools: ${value.tools.length}`}>
      {error !== undefined && <Failure error={error} again={again} />}
      {shown === undefined && error === undefined && <Loading what="tools" />}
      {value?.failed.map(({ server, message }) => (
        <Notice key={server} tone="warning" title={`The tools of ${server} are not known`}>
          {message}
        </Notice>
      ))}
      {value !== undefined && value.tools.length > 0 && (
        <Field name="Words of name or description" type="search" value={words} onChange={setWords} />
      )}
      {shown?.length === 0 && <Empty>There is no such tool.</Empty>}
      <ul className="tool-list">
        {shown?.map((tool) => (
          <li key={tool.name}>
            <ToolItem
              tool={tool}
              pin={pins.find((pin) => pin.server === tool.server && pin.tool === tool.tool)}
            />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ToolItem({ tool, pin }: { readonly tool: Tool; readonly pin: Pin | undefined }) {
  const { name, server, tool: own, description, readOnly, destructive, needsApproval, quarantined } = tool;
  return (
    <details className="tool">
      <summary>
        <code>{name}</code>
        {readOnly && <Badge tone="good">read-only</Badge>}
        {destructive && <Badge tone="error">may destroy</Badge>}
        {needsApproval && <Badge tone="warning">asks a person</Badge>}
        {quarantined && <Badge tone="error">quarantine</Badge>}
        <span className="tool-first quiet">{visibleText(description?.split("\n")[0] ?? "")}</span>
      </summary>
      <p className="quiet">
        <code>{own}</code> of <code>{server}</code>
      </p>
      {description !== undefined && <p className="tool-description">{visibleText(description)}</p>}
      {pin !== undefined && pin.definition !== "" && (
        <pre className="log" tabIndex={0} aria-label={`Accepted definition of ${name}`}>
          {visibleText(prettyJson(pin.definition))}
        </pre>
      )}
    </details>
  );
}

import { useId, useRef } from "react";
import type { Finding } from "../../../parts/findings.tsx";
import { keyed } from "../../../parts/keyed.ts";
import { lineSpan } from "./line-span.ts";

interface SpecEditorProps {
  readonly text: string;
  readonly findings: readonly Finding[];
  readonly onText: (text: string) => void;
}

/** Lines that stay to be seen above one that is gone to. */
const LINES_ABOVE = 4;

/** The whole spec as text, its lines numbered; those that something was found at are marked. */
export function SpecEditor({ text, findings, onText }: SpecEditorProps) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const lines = text.split("\n").length;
  const marked = new Map(
    findings.flatMap(({ line, severity }) => (line === undefined ? [] : [[line, severity] as const])),
  );
  const goTo = (line: number): void => {
    const [from, to] = lineSpan(text, line);
    area.current?.focus({ preventScroll: true });
    area.current?.setSelectionRange(from, to);
    // The text has its full height: what scrolls is the box around it.
    const height = (area.current?.scrollHeight ?? 0) / lines;
    box.current?.scrollTo({ top: (line - LINES_ABOVE) * height });
  };
  const placed = findings.filter(({ line }) => line !== undefined);
  return (
    <div className="spec-editor">
      <label htmlFor={id}>The spec as text</label>
      <div className="editor-box" ref={box}>
        <pre className="editor-lines" aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <span key={index} data-severity={marked.get(index + 1)}>
              {`${index + 1}\n`}
            </span>
          ))}
        </pre>
        <textarea
          id={id}
          ref={area}
          value={text}
          rows={lines}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          onChange={(event) => onText(event.target.value)}
        />
      </div>
      {placed.length > 0 && (
        <ul className="line-list">
          {keyed(placed, ({ code, line }) => `${code} ${line}`).map(
            ({ key, item: { line = 1, message, severity } }) => (
              <li key={key} data-severity={severity}>
                <button type="button" className="button button-quiet" onClick={() => goTo(line)}>
                  Line {line}
                </button>{" "}
                {message}
              </li>
            ),
          )}
        </ul>
      )}
    </div>
  );
}

import { Button } from "../../../parts/button.tsx";
import { Empty } from "../../../parts/empty.tsx";
import type { Draft } from "./spec-changes.ts";
import { shownValue, valueAt } from "./spec-values.ts";

interface ChangeListProps {
  readonly draft: Draft;
  readonly spec: unknown;
  readonly undo: (path: string) => void;
  readonly undoText: () => void;
}

/** What is tried, each change with its way back. */
export function ChangeList({ draft, spec, undo, undoText }: ChangeListProps) {
  const { changes, text } = draft;
  if (changes.length === 0 && text === undefined)
    return <Empty>Nothing is changed. Whatever you set here is only tried: the node goes on as it is.</Empty>;
  return (
    <ul className="change-list">
      {text !== undefined && (
        <li>
          <span>The text was edited.</span>
          <Button tone="quiet" onPress={undoText} label="Undo the editing of the text">
            Undo
          </Button>
        </li>
      )}
      {changes.map(({ path, value }) => (
        <li key={path}>
          <span>
            <code>{path}</code>: {said(valueAt(spec, path))} → <strong>{said(value)}</strong>
          </span>
          <Button tone="quiet" onPress={() => undo(path)} label={`Undo ${path}`}>
            Undo
          </Button>
        </li>
      ))}
    </ul>
  );
}

const said = (value: unknown): string => shownValue(value ?? undefined) || "not set";

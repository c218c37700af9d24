import { useId } from "react";
import type { ReactNode } from "react";

interface PanelProps {
  readonly title: string;
  /** Beside the title, at the end of the line. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a view under a title of its own. */
export function Panel({ title, actions, children }: PanelProps) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {actions !== undefined && <div className="panel-actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

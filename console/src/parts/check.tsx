import type { ReactNode } from "react";

interface CheckProps {
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
  readonly children: ReactNode;
}

/** Something that is so or is not. */
export const Check = ({ on, onChange, children }: CheckProps) => (
  <label className="check">
    <input type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} />
    <span>{children}</span>
  </label>
);

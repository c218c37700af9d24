import type { ReactNode } from "react";

interface ButtonProps {
  readonly tone?: "primary" | "plain" | "danger" | "quiet";
  /** It is being done; a second press does nothing. */
  readonly busy?: boolean;
  readonly disabled?: boolean;
  /** Sends the form that it stands in. */
  readonly submit?: boolean;
  readonly onPress?: () => void;
  /** Where the children alone would not tell what it does. */
  readonly label?: string;
  readonly children: ReactNode;
}

export function Button({
  tone = "plain",
  busy = false,
  disabled = false,
  submit = false,
  onPress,
  label,
  children,
}: ButtonProps) {
  return (
    <button
      type={submit ? "submit" : "button"}
      className={`button button-${tone}`}
      disabled={disabled || busy}
      aria-busy={busy}
      aria-label={label}
      onClick={onPress}
    >
      {children}
    </button>
  );
}

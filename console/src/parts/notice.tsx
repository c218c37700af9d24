import type { ReactNode } from "react";

interface NoticeProps {
  readonly tone: "note" | "good" | "warning" | "error";
  readonly title: string;
  readonly children?: ReactNode;
}

/** Something to be read now. Errors are told at once by screen readers, the rest when they pause. */
export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div className={`notice notice-${tone}`} role={tone === "error" ? "alert" : "status"}>
      <strong>{title}</strong>
      {children !== undefined && <div>{children}</div>}
    </div>
  );
}

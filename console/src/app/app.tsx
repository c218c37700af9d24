import { useCallback, useEffect, useState } from "react";
import { ApiError } from "../api/api-error.ts";
import { ask } from "../api/ask.ts";
import { forgetKey } from "../api/session-key.ts";
import { followNode } from "../live/live-store.ts";
import { Failure } from "../parts/failure.tsx";
import { Loading } from "../parts/loading.tsx";
import { Frame } from "./frame.tsx";
import { SessionContext } from "./session.ts";
import type { Session } from "./session.ts";
import { SignIn } from "./sign-in.tsx";

type Opened =
  | { readonly kind: "asking" }
  | { readonly kind: "locked"; readonly refused: string | undefined }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "open"; readonly session: Session };

/** Finds out who looks, asks for a key where one is needed, and shows the node. */
export function App() {
  const [opened, setOpened] = useState<Opened>({ kind: "asking" });
  const open = useCallback(() => {
    ask("GET /api/session").then(
      (session) => setOpened({ kind: "open", session }),
      (error: unknown) => setOpened(refusalOf(error)),
    );
  }, []);
  useEffect(open, [open]);
  const admin = opened.kind === "open" ? opened.session.admin : undefined;
  useEffect(() => (admin === undefined ? undefined : followNode(admin)), [admin]);
  if (opened.kind === "asking") return <Loading what="the node" />;
  if (opened.kind === "failed") return <Failure error={opened.error} again={open} />;
  if (opened.kind === "locked") return <SignIn refused={opened.refused} open={open} />;
  const leave = (): void => {
    forgetKey();
    setOpened({ kind: "locked", refused: undefined });
  };
  return (
    <SessionContext value={opened.session}>
      <Frame leave={leave} />
    </SessionContext>
  );
}

function refusalOf(error: unknown): Opened {
  if (!(error instanceof ApiError) || error.status !== 401) return { kind: "failed", error };
  const refused = error.code === "missing_api_key" ? undefined : error.message;
  return { kind: "locked", refused };
}

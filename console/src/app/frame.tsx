import { Suspense, useEffect, useRef } from "react";
import { useLive } from "../live/use-live.ts";
import { Loading } from "../parts/loading.tsx";
import { Notice } from "../parts/notice.tsx";
import { Time } from "../parts/time.tsx";
import { Fence } from "./fence.tsx";
import { hashTo, useHashRoute } from "./hash-route.ts";
import { useSession } from "./session.ts";
import { ThemeChoice } from "./theme-choice.tsx";
import { VIEWS } from "./views.ts";

/** Head, navigation and the view that the address names. */
export function Frame({ leave }: { readonly leave: () => void }) {
  const session = useSession();
  const route = useHashRoute();
  const shown = VIEWS.filter((view) => view.shown(session));
  const current = shown.find(({ path }) => path === route.view) ?? shown[0];
  const main = useRef<HTMLElement>(null);
  const name = current?.name;
  useEffect(() => {
    document.title = name === undefined ? "Omni" : `${name} · ${session.node} · Omni`;
  }, [name, session.node]);
  if (current === undefined) return null;
  const { Component } = current;
  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header className="head">
        <a className="brand" href={hashTo("")}>
          <img src="./favicon.svg" alt="" width="24" height="24" />
          <span>{session.node}</span>
        </a>
        {session.simulated && <span className="mark mark-warning">simulated</span>}
        <ConnectionMark />
        <ThemeChoice />
        {session.keysRequired && (
          <button type="button" className="button button-quiet" onClick={leave} title={`Key: ${session.key}`}>
            Leave
          </button>
        )}
      </header>
      <nav className="views" aria-label="Views">
        {shown.map(({ path, name, Mark }) => (
          <a key={path} href={hashTo(path)} aria-current={path === current.path ? "page" : undefined}>
            {name}
            {Mark !== undefined && (
              <Suspense fallback={null}>
                <Mark />
              </Suspense>
            )}
          </a>
        ))}
      </nav>
      <main className="view" ref={main} tabIndex={-1}>
        <Lost />
        <Fence key={current.path}>
          <Suspense fallback={<Loading what={current.name} />}>
            <Component />
          </Suspense>
        </Fence>
      </main>
    </>
  );
}

function ConnectionMark() {
  const { kind } = useLive((state) => state.connection);
  const words = { connecting: "connecting", open: "live", lost: "not connected", reduced: "read only" }[kind];
  return (
    <span className={`connection connection-${kind}`} role="status">
      {words}
    </span>
  );
}

/** Says that what is shown is of the past. */
function Lost() {
  const connection = useLive((state) => state.connection);
  if (connection.kind !== "lost") return null;
  return (
    <Notice tone="warning" title="What you see is not of now">
      No connection to the node since <Time at={connection.since} />. {connection.why} It is tried again by
      itself.
    </Notice>
  );
}

/**
 * The console: what a browser shows of a node. It knows the node by the types of its API's contract alone, holds no state that
 * the node does not have, and asks nothing of any other host.
 * Never here: a decision about services or plans, and anything of `src/` but the contract's types and pure functions of core.
 */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.tsx";
import { applyTheme, storedTheme } from "./app/theme.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/frame.css";

const place = document.querySelector("#console");
if (place === null) throw new Error("index.html has no place for the console");
applyTheme(storedTheme());
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

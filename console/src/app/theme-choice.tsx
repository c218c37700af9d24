import { useState } from "react";
import { applyTheme, storedTheme } from "./theme.ts";
import type { Theme } from "./theme.ts";

const isTheme = (value: string): value is Theme =>
  value === "system" || value === "light" || value === "dark";

export function ThemeChoice() {
  const [theme, setTheme] = useState(storedTheme);
  const choose = (value: string): void => {
    if (!isTheme(value)) return;
    applyTheme(value);
    setTheme(value);
  };
  return (
    <label className="theme-choice">
      <span className="unseen">Colours</span>
      <select value={theme} onChange={(event) => choose(event.target.value)}>
        <option value="system">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

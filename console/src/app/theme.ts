export type Theme = "system" | "light" | "dark";

const NAME = "omni-theme";

export function storedTheme(): Theme {
  const stored = localStorage.getItem(NAME);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Shows the console so from now on, also when it is opened again. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") {
    localStorage.removeItem(NAME);
    delete document.documentElement.dataset["theme"];
  } else {
    localStorage.setItem(NAME, theme);
    document.documentElement.dataset["theme"] = theme;
  }
}

import { expect, it } from "vitest";
import { createScreen } from "./screen.ts";

function screenWith(): { readonly screen: ReturnType<typeof createScreen>; readonly take: () => string } {
  let written = "";
  const screen = createScreen((text) => (written += text));
  return {
    screen,
    take: () => {
      const all = written;
      written = "";
      return all;
    },
  };
}

it("writes a line again only when it is another, and clears the rest of it", () => {
  const { screen, take } = screenWith();
  screen.enter();
  take();
  screen.draw(["one", "two", "three"]);
  expect(take()).toBe("\u001B[1;1Hone\u001B[K\u001B[2;1Htwo\u001B[K\u001B[3;1Hthree\u001B[K");
  screen.draw(["one", "2", "three"]);
  expect(take()).toBe("\u001B[2;1H2\u001B[K");
  screen.draw(["one", "2", "three"]);
  expect(take()).toBe("");
});

it("writes everything again on a screen of another size, or one that was somebody else's meanwhile", () => {
  const { screen, take } = screenWith();
  screen.enter();
  screen.draw(["one"]);
  screen.clear();
  take();
  screen.draw(["one"]);
  expect(take()).toBe("\u001B[1;1Hone\u001B[K");
  screen.leave();
  screen.enter();
  take();
  screen.draw(["one"]);
  expect(take()).toBe("\u001B[1;1Hone\u001B[K");
});

it("gives the terminal back once, and draws nothing on one that is not its own", () => {
  const { screen, take } = screenWith();
  screen.draw(["one"]);
  screen.leave();
  expect(take()).toBe("");
  screen.enter();
  screen.enter();
  expect(take().split("\u001B[?1049h")).toHaveLength(2);
  screen.leave();
  screen.leave();
  screen.draw(["one"]);
  screen.clear();
  expect(take()).toBe("\u001B[?7h\u001B[?25h\u001B[?1049l");
});

import { styleText } from "node:util";
import { expect, it } from "vitest";
import { withoutControl } from "./terminal.ts";

it("what is printed keeps its lines, columns and colours, and moves no cursor", () => {
  const red = styleText("red", "error", { validateStream: false });
  expect(withoutControl(`${red}\ta\nÜ 你 🎉`)).toBe(`${red}\ta\nÜ 你 🎉`);
  const hostile = "a\u001B[2Jb\u001B]0;title\u0007c\rd\u009B1Ae\u202Ef\b\u007F\u001B[?25l";
  expect(withoutControl(hostile)).toBe("a[2Jb]0;titlecd1Aef[?25l");
});

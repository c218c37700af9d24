import { expect, it } from "vitest";
import { decodeEntities } from "./decode-entities.ts";
import { safeLink } from "./safe-link.ts";

it("leads to the web and to mail, nowhere else", () => {
  expect(safeLink("https://example.com/a?b=c")).toBe("https://example.com/a?b=c");
  expect(safeLink("mailto:a@example.com")).toBe("mailto:a@example.com");
  for (const address of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "/api/keys",
    "#/keys",
    " \tjavascript:alert(1)",
    "vbscript:x",
    "blob:x",
  ])
    expect(safeLink(address)).toBeUndefined();
});

it("reads character references, and leaves what is none", () => {
  expect(decodeEntities("a &lt; b &amp;&amp; c &#62; d &#x1F600;")).toBe("a < b && c > d 😀");
  expect(decodeEntities("AT&T &unknown; &#0; &#xD800;")).toBe("AT&T &unknown; \ufffd \ufffd");
});

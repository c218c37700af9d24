import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { until } from "../../fakes/gateway-under-test.ts";
import type { Answers } from "./echo-server.ts";
import { echo, TwoSided } from "./echo-server.ts";
import { ownCertificate } from "./own-certificate.ts";
import { portOf, post, RawClient, undated } from "./raw-client.ts";

const certificate = ownCertificate();
const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nhost: h\r\n${more}\r\n`;
const CLOSE = "connection: close\r\n";
const statuses = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code ?? "");
const urls = (text: string): string[] => [...text.matchAll(/"url":"([^"]+)"/g)].map(([, url]) => url ?? "");

describe.each([
  ["plain TCP", false],
  ["TLS", true],
])("over %s", (_name, secure) => {
  const tls = secure ? certificate : undefined;
  const skips = secure && certificate === undefined;
  const serve = async (answers?: Answers, limits = {}): Promise<TwoSided> =>
    TwoSided.listen(true, answers, limits, tls);

  it.skipIf(skips)(
    "requests behind each other are answered in their order, each after the last",
    async () => {
      let open = 0;
      const slow: Answers = (req, body, res) => {
        expect(++open).toBe(1);
        res.once("close", () => open--);
        setTimeout(() => echo(req, body, res), 10);
      };
      await using node = await serve(slow);
      const client = await RawClient.open(node.server, secure);
      client.write(post("/v1/a", "1") + post("/v1/b", "22") + post("/v1/c", "333", CLOSE));
      expect(urls(await client.closed())).toEqual(["/v1/a", "/v1/b", "/v1/c"]);
      expect(node.plain).toEqual(["/v1/a", "/v1/b", "/v1/c"]);
      expect(node.closed).toEqual(node.plain.map((path) => [path, true]));
    },
  );

  it.skipIf(skips)("what is not plain goes to node:http, and all behind it", async () => {
    await using node = await serve();
    const client = await RawClient.open(node.server, secure);
    client.write(post("/v1/a", "1"));
    await until(() => urls(client.text).length === 1);
    client.write(
      post("/v1/b", "1") + get("/v1/c") + post("/v1/d", "1") + post("/v1/e", "x".repeat(100), CLOSE),
    );
    const text = await client.closed();
    expect(urls(text)).toEqual(["/v1/a", "/v1/b", "/v1/c", "/v1/d", "/v1/e"]);
    expect([node.plain, node.other]).toEqual([
      ["/v1/a", "/v1/b"],
      ["/v1/c", "/v1/d", "/v1/e"],
    ]);
    expect(statuses(text)).toEqual(["200", "200", "200", "200", "200"]);
  });

  it.skipIf(skips)(
    "a connection that begins otherwise is node:http's, with a body of many pieces",
    async () => {
      await using node = await serve();
      const client = await RawClient.open(node.server, secure);
      const body = "x".repeat(400_000);
      client.write(post("/other", body) + get("/v1/b", CLOSE));
      const text = await client.closed();
      expect(text).toContain(`"body":"${body}"`);
      expect([node.plain, node.other]).toEqual([[], ["/other", "/v1/b"]]);
    },
  );

  it.skipIf(skips)("a body of many pieces is one, and what comes behind it is another request", async () => {
    await using node = await serve();
    const client = await RawClient.open(node.server, secure);
    const body = "0123456789".repeat(50_000);
    client.write(post("/v1/a", body) + post("/v1/b", body, CLOSE));
    const text = await client.closed();
    expect(text.split(`"body":"${body}"`)).toHaveLength(3);
    expect(node.plain).toEqual(["/v1/a", "/v1/b"]);
  });

  it.skipIf(skips)("much that waits behind a request is read when its turn comes", async () => {
    let go = (): void => undefined;
    const waits: Answers = (req, body, res) => {
      if (req.url === "/v1/first") go = () => echo(req, body, res);
      else echo(req, body, res);
    };
    await using node = await serve(waits);
    const client = await RawClient.open(node.server, secure);
    const more = Array.from({ length: 40 }, (_, i) => post(`/v1/${i}`, "x".repeat(9_000)));
    client.write(post("/v1/first", "1") + more.join("") + post("/v1/last", "1", CLOSE));
    await until(() => node.plain.length === 1);
    await sleep(30);
    go();
    expect(urls(await client.closed())).toHaveLength(42);
    expect(node.plain).toHaveLength(42);
  });

  it.skipIf(skips)("a client that reads slowly holds the writer back, and gets all", async () => {
    let held = 0;
    const parts = 60;
    const flood: Answers = (_req, _body, res) => {
      res.writeHead(200, ["content-type", "x/y"]);
      let sent = 0;
      const go = (): void => {
        while (sent < parts) {
          if (res.write(Buffer.alloc(100_000, 97 + (sent++ % 26)))) continue;
          held++;
          res.once("drain", go);
          return;
        }
        res.end("end");
      };
      go();
    };
    await using node = await serve(flood);
    const client = await RawClient.open(node.server, secure);
    client.socket.pause();
    client.write(post("/v1/a", "", CLOSE));
    await until(() => held > 0);
    client.socket.resume();
    const [, ...chunks] = (await client.closed())
      .split("\r\n\r\n")
      .join("\r\n")
      .split(/\r\n(?=186a0|3|0)/);
    expect(chunks.filter((chunk) => chunk.length === 100_007)).toHaveLength(parts);
    expect(client.text.endsWith("\r\n3\r\nend\r\n0\r\n\r\n")).toBe(true);
    expect(node.closed).toEqual([["/v1/a", true]]);
  });

  it.skipIf(skips).each(["ends its side", "resets"] as const)(
    "a client that %s while it is answered is known to be gone",
    async (how) => {
      await using node = await serve((_req, _body, res) => {
        res.writeHead(200, []);
        res.write("part");
      });
      const client = await RawClient.open(node.server, secure);
      client.write(post("/v1/a"));
      await until(() => client.text.includes("part"));
      if (how === "resets") client.socket.destroy();
      else client.socket.end();
      await until(() => node.closed.length === 1);
      expect(node.closed).toEqual([["/v1/a", false]]);
      await client.closed();
    },
  );
});

describe("the heads of answers", () => {
  const answers: Answers = (req, body, res) => {
    const path = req.url ?? "";
    body.read(
      10,
      () => {
        if (path.endsWith("chunks")) {
          res.writeHead(200, ["content-type", "text/plain"]);
          res.write("a€");
          res.write("");
          setTimeout(() => res.end("b"), 20);
        } else if (path.endsWith("length")) {
          res.writeHead(200, ["Content-Length", "2", "x-a", "\xe9"]);
          res.end(Buffer.from("ab"));
        } else if (path.endsWith("close")) {
          res.writeHead(418, ["connection", "close", "content-length", "1"]);
          res.write("a");
          res.end();
        } else if (path.endsWith("none")) {
          res.writeHead(204, ["x-a", "b"]);
          res.end();
        } else if (path.endsWith("own")) {
          res.writeHead(599, ["date", "today", "keep-alive", "timeout=1", "transfer-encoding", "chunked"]);
          res.end("a");
        } else {
          res.writeHead(304, []);
          res.end();
        }
      },
      () => res.destroy(),
    );
  };

  it.each(["chunks", "length", "close", "none", "own", "same"])(
    "%s: as node:http writes them",
    async (path) => {
      await using bare = await TwoSided.listen(false, answers);
      await using fronted = await TwoSided.listen(true, answers);
      const texts: string[] = [];
      for (const side of [bare, fronted]) {
        for (const [before, more] of ["", CLOSE].entries()) {
          const client = await RawClient.open(side.server);
          client.write(post(`/v1/${path}`, "", more));
          await until(() => side.closed.length > before);
          client.socket.end();
          texts.push(undated(await client.closed()));
        }
      }
      expect(texts.slice(2)).toEqual(texts.slice(0, 2));
      expect(texts[0]).toContain("HTTP/1.1 ");
      expect(fronted.plain).toEqual([`/v1/${path}`, `/v1/${path}`]);
    },
  );

  it("and their chunks are what other clients read, whatever their size", async () => {
    const sizes = [1, 9, 10, 15, 16, 255, 256, 4_095, 4_096, 32_767, 32_768, 32_769, 70_000, 2];
    const parts = sizes.map((size, i) => String.fromCharCode(97 + i).repeat(size));
    await using node = await TwoSided.listen(true, (req, _body, res) => {
      res.writeHead(200, []);
      for (const part of parts) {
        if (req.url !== "/v1/parts") res.write(req.url === "/v1/text" ? part : Buffer.from(part));
        else {
          const lent = Buffer.from(`<${part}>`);
          res.writePart?.(lent, 1, 1 + part.length);
          res.writePart?.(lent, 1, 1);
          lent.fill(0);
        }
      }
      res.end("€");
      expect(res.writePart?.(Buffer.from("late"), 0, 4)).toBe(false);
    });
    for (const path of ["/v1/text", "/v1/bytes", "/v1/parts"]) {
      const answer = await fetch(`http://127.0.0.1:${portOf(node.server)}${path}`, {
        method: "POST",
        body: "x",
      });
      expect((await answer.text()) === `${parts.join("")}€`).toBe(true);
    }
    expect([node.plain.length, node.other.length]).toEqual([3, 0]);
  });

  it("hold nothing that would be another line", async () => {
    const thrown: string[] = [];
    const odd: Answers = (_req, _body, res) => {
      for (const [name, value] of [
        ["x-a", "b\r\nset-cookie: c"],
        ["x-a\r\nx-b", "c"],
        ["x-a", "€"],
        ["", "b"],
        ["content-length", "1, 2"],
      ]) {
        try {
          res.writeHead(200, [name ?? "", value ?? ""]);
        } catch (error) {
          thrown.push(error instanceof Error && "code" in error ? String(error.code) : String(error));
        }
      }
      res.writeHead(200, ["content-length", "2"]);
      expect(() => res.writeHead(200, [])).toThrow("after they are sent");
      res.end("ok");
    };
    await using node = await TwoSided.listen(true, odd);
    const client = await RawClient.open(node.server);
    client.write(post("/v1/a", "", CLOSE));
    expect(undated(await client.closed())).toBe(
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nDate: x\r\nConnection: close\r\n\r\nok",
    );
    expect(thrown).toEqual([
      "ERR_INVALID_CHAR",
      "ERR_INVALID_HTTP_TOKEN",
      "ERR_INVALID_CHAR",
      "ERR_INVALID_HTTP_TOKEN",
      "TypeError: Invalid Content-Length: 1, 2",
    ]);
  });

  it.each([
    ["more", "abc"],
    ["less", "a"],
  ])(
    "%s bytes than the head says end the connection, and none is taken for the next answer",
    async (_w, body) => {
      await using node = await TwoSided.listen(true, (_req, _body, res) => {
        res.writeHead(200, ["content-length", "2"]);
        res.end(body);
      });
      const client = await RawClient.open(node.server);
      client.write(post("/v1/a") + post("/v1/b"));
      const [, got] = (await client.closed()).split("\r\n\r\n");
      expect(got).toBe(body === "a" ? "a" : "");
      expect(node.plain).toEqual(["/v1/a"]);
    },
  );
});

describe("an answer", () => {
  it("that is broken off ends its connection, and nothing is written any more", async () => {
    let ends = 0;
    await using node = await TwoSided.listen(true, (_req, _body, res) => {
      res.once("close", () => ends++);
      const never = (): void => void (ends += 10);
      res.once("close", never);
      res.off("close", never);
      res.writeHead(200, []);
      res.write("part");
      setTimeout(() => {
        res.destroy();
        expect([res.write("more"), res.destroyed, ends]).toEqual([false, true, 0]);
        res.end("end");
      }, 10);
    });
    const client = await RawClient.open(node.server);
    client.write(post("/v1/a"));
    expect((await client.closed()).endsWith("\r\n4\r\npart\r\n")).toBe(true);
    await until(() => ends > 0);
    expect([ends, node.closed]).toEqual([1, [["/v1/a", false]]]);
  });

  it("before the body is whole lets the rest pass by", async () => {
    await using node = await TwoSided.listen(true, (req, body, res) => {
      if (req.url === "/v1/b") echo(req, body, res);
      else {
        res.writeHead(401, ["content-length", "0"]);
        res.end();
      }
    });
    const client = await RawClient.open(node.server);
    client.write(post("/v1/a", "x", "", 300_000));
    await until(() => client.text.includes("401"));
    client.write("x".repeat(299_999) + post("/v1/b", "b", CLOSE));
    expect(statuses(await client.closed())).toEqual(["401", "200"]);
    expect(node.plain).toEqual(["/v1/a", "/v1/b"]);
  });

  it("to a body that is too large can be read while the client still sends", async () => {
    const done: string[] = [];
    await using node = await TwoSided.listen(true, (req, body, res) => {
      body.read(
        100,
        () => done.push("read"),
        () => {
          res.writeHead(413, ["content-length", "1", "connection", "close"]);
          res.write("x");
          body.discard(req.url === "/v1/a" ? 1_000_000 : 100_000, () => {
            done.push("discarded");
            res.end();
          });
        },
      );
    });
    for (const path of ["/v1/a", "/v1/b"]) {
      const client = await RawClient.open(node.server);
      client.write(post(path, "x", "", 500_000));
      await until(() => client.text.includes("413"));
      client.write("x".repeat(499_999));
      await client.closed();
      await until(() => node.closed.length > (path === "/v1/a" ? 0 : 1));
    }
    expect(done).toEqual(["discarded"]);
    expect(node.closed).toEqual([
      ["/v1/a", true],
      ["/v1/b", false],
    ]);
  });
});

describe("clients that take too long", () => {
  const limits = { headerTime: 300, bodyTime: 500, keepAliveTime: 200, idleTime: 300 };

  it("are told so before their body is whole, in the words of the path", async () => {
    await using node = await TwoSided.listen(true, echo, { ...limits, idleTime: 60_000 });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(node.server)));
    const [silent, head, body] = clients;
    head?.write(post("/v1/a").slice(0, 20));
    body?.write(post("/v1/messages", "x", "", 10));
    for (const client of clients) expect((await client.closed()).slice(0, 12)).toBe("HTTP/1.1 408");
    expect(silent?.text).toContain('"code":"request_timeout"');
    expect(body?.text).toContain('{"type":"error","error":');
    await until(() => node.closed.length === 1);
    expect([node.plain, node.closed]).toEqual([["/v1/messages"], [["/v1/messages", false]]]);
  });

  it("with their next request are let go of", async () => {
    await using node = await TwoSided.listen(true, echo, limits);
    const client = await RawClient.open(node.server);
    client.write(post("/v1/a"));
    expect(statuses(await client.closed())).toEqual(["200"]);
  });

  it("to read are let go of, not those whose answer takes its time", async () => {
    await using node = await TwoSided.listen(
      true,
      (req, body, res) => {
        if (req.url === "/v1/slow") setTimeout(() => echo(req, body, res), 1_000);
        else {
          res.writeHead(200, []);
          res.write(Buffer.alloc(8_000_000));
        }
      },
      limits,
    );
    const [slow, deaf] = [await RawClient.open(node.server), await RawClient.open(node.server)];
    deaf.socket.pause();
    slow.write(post("/v1/slow", "", CLOSE));
    deaf.write(post("/v1/deaf"));
    expect(statuses(await slow.closed())).toEqual(["200"]);
    await until(() => node.closed.length === 2);
    expect(node.closed).toContainEqual(["/v1/deaf", false]);
    deaf.socket.destroy();
  });

  it("are those of the server's times of now", async () => {
    await using node = await TwoSided.listen(true, echo, { headerTime: 400, keepAliveTime: 60_000 });
    const client = await RawClient.open(node.server);
    client.write(post("/v1/a"));
    await until(() => client.text.length > 0);
    node.server.keepAliveTimeout = 1;
    expect(statuses(await client.closed())).toEqual(["200"]);
  });

  it("and end in the middle of a body are told what is wrong", async () => {
    await using node = await TwoSided.listen(true, echo);
    const client = await RawClient.open(node.server);
    client.socket.end(post("/v1/a", "x", "", 10));
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 [^]*"code":"invalid_http"/);
    await until(() => node.closed.length === 1);
    expect(node.closed).toEqual([["/v1/a", false]]);
  });
});

describe("the end of the server", () => {
  it("closes who is idle at once, and who is answered behind the answer, which says so", async () => {
    let go = (): void => undefined;
    await using node = await TwoSided.listen(true, (req, body, res) => {
      if (req.url === "/v1/idle") echo(req, body, res);
      else go = () => echo(req, body, res);
    });
    const [idle, busy] = [await RawClient.open(node.server), await RawClient.open(node.server)];
    idle.write(post("/v1/idle"));
    busy.write(post("/v1/busy"));
    await until(() => node.plain.length === 2 && idle.text !== "");
    const closed = once(node.server, "close");
    node.server.close();
    await idle.closed();
    expect(busy.ended).toBe(false);
    go();
    expect(await busy.closed()).toContain("Connection: close\r\n");
    await closed;
  });

  it("by force closes all", async () => {
    await using node = await TwoSided.listen(true, () => undefined);
    const client = await RawClient.open(node.server);
    client.write(post("/v1/a"));
    await until(() => node.plain.length === 1);
    const closed = once(node.server, "close");
    node.server.close();
    node.server.closeAllConnections();
    await Promise.all([client.closed(), closed]);
    await until(() => node.closed.length === 1);
    expect(node.closed).toEqual([["/v1/a", false]]);
  });
});

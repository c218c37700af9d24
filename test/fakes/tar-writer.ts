/** A member of an archive; a path above 100 bytes gets a pax header, like Docker's own writer does. */
export interface TarMember {
  readonly path: string;
  readonly content?: Buffer;
  /** `0` file, `1` hard link, `2` link, `5` folder. */
  readonly type?: string;
}

export function tarArchive(members: readonly TarMember[]): Buffer {
  return Buffer.concat([...members.map(tarMember), Buffer.alloc(1024)]);
}

export function tarMember(member: TarMember): Buffer {
  const content = member.content ?? Buffer.alloc(0);
  if (Buffer.byteLength(member.path) <= 100) return block(member.path, member.type ?? "0", content);
  return Buffer.concat([
    block("PaxHeaders/x", "x", Buffer.from(paxLine("path", member.path))),
    block("x", member.type ?? "0", content),
  ]);
}

/** The header alone, for content that is streamed. */
export function tarHeader(path: string, type: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write("0000644\0", 100);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(type, 156);
  header.write("ustar\0", 257);
  header.write("00", 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

const block = (path: string, type: string, content: Buffer): Buffer =>
  Buffer.concat([
    tarHeader(path, type, content.length),
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
  ]);

function paxLine(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (Buffer.byteLength(String(length) + rest) !== length) length += 1;
  return String(length) + rest;
}

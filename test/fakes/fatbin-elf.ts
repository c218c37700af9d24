/** A piece of device code for a made-up library: as nvcc lays it out, its payload random bytes. */
export interface FatbinEntry {
  readonly form: "cubin" | "ptx";
  /** `120` for 12.0. */
  readonly version: number;
  readonly suffix?: "a" | "f";
  readonly payload?: Buffer;
}

const ENTRY_HEADER = 64;

export function fatbinContainer(entries: readonly FatbinEntry[]): Buffer {
  const body = Buffer.concat(entries.flatMap((entry) => [entryHeader(entry), payloadOf(entry)]));
  const head = Buffer.alloc(16);
  head.writeUInt32LE(0xba_55_ed_50, 0);
  head.writeUInt16LE(1, 4);
  head.writeUInt16LE(16, 6);
  head.writeBigUInt64LE(BigInt(body.length), 8);
  return Buffer.concat([head, body]);
}

const payloadOf = (entry: FatbinEntry): Buffer => {
  const payload = entry.payload ?? Buffer.alloc(40, entry.version);
  return Buffer.concat([payload, Buffer.alloc((8 - (payload.length % 8)) % 8)]);
};

function entryHeader(entry: FatbinEntry): Buffer {
  const header = Buffer.alloc(ENTRY_HEADER);
  header.writeUInt16LE(entry.form === "ptx" ? 1 : 2, 0);
  header.writeUInt16LE(0x01_01, 2);
  header.writeUInt32LE(ENTRY_HEADER, 4);
  header.writeBigUInt64LE(BigInt(payloadOf(entry).length), 8);
  header.writeUInt32LE((entry.payload ?? Buffer.alloc(40)).length, 16);
  header.writeUInt32LE(entry.version, 28);
  const specific = entry.suffix === undefined ? 0 : { a: 0x10_00_00, f: 0x20_00_00 }[entry.suffix];
  header.writeUInt32LE(0x80_11 | specific, 40);
  return header;
}

/** A 64-bit ELF file of these sections, names and table at the end as linkers write them. */
export function elfFile(sections: Readonly<Record<string, Buffer>>): Buffer {
  const names = ["", ...Object.keys(sections), ".shstrtab"];
  const nameTable = Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1");
  const parts: Buffer[] = [Buffer.alloc(64)];
  const placed = [...Object.values(sections), nameTable].map((bytes) => {
    const offset = parts.reduce((sum, part) => sum + part.length, 0);
    parts.push(bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8));
    return { offset, size: bytes.length };
  });
  const tableOffset = parts.reduce((sum, part) => sum + part.length, 0);
  const table = Buffer.alloc(names.length * 64);
  for (const [index, { offset, size }] of placed.entries()) {
    const at = (index + 1) * 64;
    table.writeUInt32LE(nameTable.indexOf(`\0${names[index + 1] ?? ""}\0`, 0, "latin1") + 1, at);
    table.writeUInt32LE(1, at + 4);
    table.writeBigUInt64LE(BigInt(offset), at + 24);
    table.writeBigUInt64LE(BigInt(size), at + 32);
  }
  const head = parts[0] ?? Buffer.alloc(0);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head);
  head.writeUInt16LE(62, 18);
  head.writeBigUInt64LE(BigInt(tableOffset), 40);
  head.writeUInt16LE(64, 58);
  head.writeUInt16LE(names.length, 60);
  head.writeUInt16LE(names.length - 1, 62);
  return Buffer.concat([...parts, table]);
}

/** A library of four fat binaries: three that are loaded, and one for linking with PTX that no card ever sees. */
export function cudaLibrary(): Buffer {
  const loaded = fatbinContainer([
    { form: "cubin", version: 86 },
    { form: "cubin", version: 120, suffix: "a" },
    { form: "ptx", version: 90 },
  ]);
  const few = fatbinContainer([{ form: "cubin", version: 100, suffix: "f" }]);
  return elfFile({
    ".text": Buffer.alloc(1000, 0x90),
    ".nv_fatbin": Buffer.concat([loaded, loaded, few]),
    __nv_relfatbin: fatbinContainer([{ form: "ptx", version: 120 }]),
    ".data": Buffer.from("0xBA55ED50 is the magic"),
  });
}
